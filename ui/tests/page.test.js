import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../", import.meta.url);

function files(folder = "") {
  return readdirSync(new URL(folder, root)).flatMap((name) => {
    const path = `${folder}${name}`;
    if (path === "tests") return [];
    return statSync(new URL(path, root)).isDirectory() ? files(`${path}/`) : [path];
  });
}

const read = (path) => readFileSync(new URL(path, root), "utf8");

test("nothing in the window makes markup or code of text", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|createContextualFragment|srcdoc|setHTML/u;
  for (const path of files().filter((each) => each.endsWith(".js"))) assert.doesNotMatch(read(path), forbidden, path);
});

test("the page has no script or style of its own, and asks nobody for anything", () => {
  const page = read("index.html");
  assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|javascript:/u);
  assert.deepEqual([...page.matchAll(/<script[^>]*>/gu)].map(([tag]) => tag), ['<script type="module" src="main.js">']);
  assert.doesNotMatch(page.replace(/placeholder="[^"]*"/gu, ""), /(?:src|href)="(?:[a-z]+:|\/\/)/u);
  for (const path of files().filter((each) => each.endsWith(".css"))) assert.doesNotMatch(read(path), /@import|url\(/u, path);
});

test("every icon that is asked for is in the page, and no other", () => {
  const page = read("index.html");
  const there = new Set([...page.matchAll(/<symbol id="icon-([a-z-]+)"/gu)].map(([, name]) => name));
  const source = files().filter((each) => each.endsWith(".js")).map(read).join("\n");
  const used = new Set([...page.matchAll(/#icon-([a-z-]+)/gu)].map(([, name]) => name));
  for (const name of there) if (new RegExp(`"${name}"`, "u").test(source)) used.add(name);
  assert.deepEqual([...there].filter((name) => !used.has(name)), []);
  assert.deepEqual([...used].filter((name) => !there.has(name)), []);
});

test("every element that the code looks for by its id is in the page", () => {
  const ids = new Set([...read("index.html").matchAll(/\sid="([^"]+)"/gu)].map(([, id]) => id));
  for (const path of files().filter((each) => each.endsWith(".js"))) {
    for (const [, id] of read(path).matchAll(/(?:find|input|dialog)\("#([a-z-]+)/gu)) assert.ok(ids.has(id), `${path}: #${id}`);
  }
});
