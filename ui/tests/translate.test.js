import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { localDay, Words } from "../translate.js";

const texts = {
  count: { one: "{n} message", other: "{n} messages" },
  name: { other: "{name} is typing" },
};

test("plural forms follow the language", () => {
  const english = new Words("en", texts);
  assert.equal(english.say("count", { n: 1 }), "1 message");
  assert.equal(english.say("count", { n: 0 }), "0 messages");
  assert.equal(english.say("count", { n: 1234 }), "1,234 messages");
  const polish = new Words("pl", { count: { one: "jedna", few: "kilka", many: "wiele", other: "inne" } });
  assert.deepEqual([1, 3, 5].map((n) => polish.say("count", { n })), ["jedna", "kilka", "wiele"]);
});

test("a form that is missing falls back to other, a key that is missing to itself", () => {
  assert.equal(new Words("pl", texts).say("count", { n: 3 }), "3 messages");
  assert.equal(new Words("en", {}).say("ui-nothing"), "ui-nothing");
});

test("a name can neither turn the text around it nor put in another argument", () => {
  const words = new Words("en", texts);
  assert.equal(words.say("name", { name: "Bob" }), "Bob is typing");
  assert.equal(words.say("name", { name: "ليلى" }), "\u2068ليلى\u2069 is typing");
  assert.equal(words.say("name", { name: "\u202Ebob" }), "\u2068\u202Ebob\u2069 is typing");
  assert.equal(words.say("name", { name: "{n} $& $1" }), "{n} $& $1 is typing");
});

test("days are today, yesterday, or a date", () => {
  const words = new Words("en", {});
  const now = new Date(2024, 4, 5, 0, 30).getTime();
  assert.equal(words.day(now, now), "Today");
  assert.equal(words.day(now - 3_600_000, now), "Yesterday");
  assert.match(words.day(new Date(2024, 3, 1).getTime(), now), /April/u);
  assert.match(words.day(new Date(2022, 3, 1).getTime(), now), /2022/u);
  assert.equal(new Words("de", {}).day(now, now), "Heute");
});

test("a list tells the hour, then the weekday, then the date", () => {
  const words = new Words("de", {});
  const now = new Date(2024, 4, 5, 14, 30).getTime();
  assert.equal(words.briefly(new Date(2024, 4, 5, 9, 5).getTime(), now), "09:05");
  assert.equal(words.briefly(new Date(2024, 4, 3, 9, 5).getTime(), now), "Fr");
  assert.match(words.briefly(new Date(2024, 1, 3).getTime(), now), /Feb/u);
  assert.match(words.briefly(new Date(2021, 1, 3).getTime(), now), /21/u);
});

test("a local day is one more after each midnight, also where the clocks change", () => {
  for (let day = 1; day < 365; day += 1) {
    const before = new Date(2024, 0, day, 23, 59).getTime();
    const after = new Date(2024, 0, day + 1, 0, 1).getTime();
    assert.equal(localDay(after) - localDay(before), 1);
  }
});

test("an unknown language does not keep the window from opening", () => {
  assert.equal(new Words("not a language", {}).language, "en");
});

/** The window's messages of a language: keys, and the arguments of each. */
function fluent(language) {
  const read = (/** @type {string} */ name) => readFileSync(new URL(`../../src-tauri/locales/${name}-${language}.ftl`, import.meta.url), "utf8");
  const found = new Map();
  let key = null;
  for (const line of `${read("ui")}\n${read("check")}`.split("\n")) {
    const begins = /^([a-z0-9-]+) =/u.exec(line);
    // The shell's own sentences stand beside them.
    if (begins) key = begins[1]?.startsWith("ui-") ? begins[1] : null;
    if (line.startsWith("#") || key === null) continue;
    const names = found.get(key) ?? new Set();
    for (const [, name] of line.matchAll(/\{ \$(\w+)/gu)) names.add(name);
    found.set(key, names);
  }
  return found;
}

test("both languages have the same texts with the same arguments", () => {
  const english = fluent("en");
  const german = fluent("de");
  assert.deepEqual([...german.keys()].sort(), [...english.keys()].sort());
  for (const [key, names] of english) assert.deepEqual([...german.get(key)].sort(), [...names].sort(), key);
});

test("every text that the page or the code asks for is there, and none is left over", async () => {
  const { readdirSync } = await import("node:fs");
  const english = fluent("en");
  const root = new URL("../", import.meta.url);
  const files = ["index.html", ...readdirSync(root).filter((name) => name.endsWith(".js")),
    ...readdirSync(new URL("views/", root)).map((name) => `views/${name}`)];
  const asked = new Set();
  const beginnings = [];
  for (const file of files) {
    for (const [key] of readFileSync(new URL(file, root), "utf8").matchAll(/ui-[a-z0-9-]+(?:\$\{)?/gu)) {
      if (key.endsWith("-${")) beginnings.push(key.slice(0, -2));
      else asked.add(key.replace(/\$\{$/u, ""));
    }
  }
  for (const key of asked) assert.ok(english.has(key), key);
  for (const key of english.keys()) {
    const suffixed = /^(ui-banner-.*catching-up)-(?:of|some)$/u.exec(key);
    assert.ok(asked.has(key) || beginnings.some((each) => key.startsWith(each)) || (suffixed && asked.has(suffixed[1])), key);
  }
});
