import assert from "node:assert/strict";
import { test } from "node:test";
import { cutAt, fewEmoji, linkTarget, oneLine, tokens } from "../text.js";

const links = (text) => tokens(text).filter((each) => each.kind === "link").map((each) => each.text);
const whole = (text) => tokens(text).map((each) => each.text).join("");

test("links of the four schemes are found, whatever the case of the scheme", () => {
  assert.deepEqual(links("see https://a.example/x and HTTP://b.example, mailto:c@d.example or xmpp:e@f.example?message"), [
    "https://a.example/x", "HTTP://b.example", "mailto:c@d.example", "xmpp:e@f.example?message",
  ]);
});

test("nothing else is a link", () => {
  for (const text of [
    "javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://a.example", "www.a.example", "https://",
    "xhttps://a.example", "tauri://localhost", "JaVaScRiPt:https", "vbscript:x", "about:blank", "mailto:",
  ]) {
    assert.deepEqual(links(text), [], text);
  }
});

test("a link inside of a forbidden one does not make that one a link", () => {
  assert.deepEqual(links("javascript:https"), []);
  assert.deepEqual(links("javascript:'https://a.example'"), ["https://a.example"]);
});

test("the marks that end a sentence do not belong to a link, its own brackets do", () => {
  assert.deepEqual(links("(https://a.example/b)."), ["https://a.example/b"]);
  assert.deepEqual(links("https://a.example/Lake_(city)!"), ["https://a.example/Lake_(city)"]);
  assert.deepEqual(links("https://a.example/?q=1;"), ["https://a.example/?q=1"]);
  assert.deepEqual(links("“https://a.example”"), ["https://a.example"]);
});

test("a link ends at a mark that turns the direction of text", () => {
  assert.deepEqual(links("https://a.example/\u202Egpj.exe"), ["https://a.example/"]);
  assert.deepEqual(links("https://a.example/\u2066x"), ["https://a.example/"]);
});

test("the target of a link with foreign letters is told in the letters of the wire", () => {
  assert.equal(linkTarget("https://аpple.example/"), "https://xn--pple-43d.example/");
});

test("tokens put together are the text", () => {
  for (const text of ["", "a", "a https://b.example c", "<b>&amp;</b> https://b.example/<script>", "😀https://x.example😀\n"]) {
    assert.equal(whole(text), text);
  }
});

test("a megabyte is read in well under a second, also where everything looks like a link", () => {
  const started = performance.now();
  for (const text of ["x".repeat(1 << 20), "https://".repeat(1 << 17), "https://a.example/" + ")".repeat(1 << 20), "mailto:.".repeat(1 << 17)]) {
    assert.equal(whole(text).length, text.length);
  }
  assert.ok(performance.now() - started < 1500, `took ${performance.now() - started} ms`);
});

test("a long text is cut at a line's end, else at a space", () => {
  assert.equal(cutAt("short", 100), 5);
  assert.equal(cutAt(`${"a".repeat(90)}\n${"b".repeat(90)}`, 100), 91);
  assert.equal(cutAt(`${"a".repeat(90)} ${"b".repeat(90)}`, 100), 91);
});

test("a cut never goes through a letter of several parts", () => {
  const family = "👨‍👩‍👧‍👦";
  for (let wanted = 100; wanted < 130; wanted += 1) {
    assert.equal(cutAt(family.repeat(30), wanted) % family.length, 0, String(wanted));
    assert.equal(cutAt("é".repeat(100), wanted) % 2, 0, String(wanted));
    assert.equal(cutAt("😀".repeat(100), wanted) % 2, 0, String(wanted));
  }
});

test("a cut always goes forward, so that cutting ends", () => {
  for (const text of ["\u0301".repeat(1000), "\u200d".repeat(1000), "\n".repeat(1000), " ".repeat(1000)]) {
    let rest = text;
    let steps = 0;
    while (rest.length > 0) {
      const at = cutAt(rest, 64);
      assert.ok(at > 0);
      rest = rest.slice(at);
      steps += 1;
    }
    assert.ok(steps < 100);
  }
});

test("a list shows the beginning of a message as one line", () => {
  assert.equal(oneLine("  a\n\n b\tc "), "a b c");
  assert.ok(oneLine("x".repeat(1 << 20)).length <= 200);
});

test("a few emoji are shown larger, words and digits are not", () => {
  for (const text of ["😀", "🎉🎉", "👨‍👩‍👧‍👦", "🇩🇪", "❤️"]) assert.ok(fewEmoji(text), text);
  for (const text of ["", "7", "ok", "😀 ok", "😀".repeat(7), "*", "#"]) assert.ok(!fewEmoji(text), text);
});
