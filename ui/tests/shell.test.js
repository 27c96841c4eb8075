import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder, refusal } from "../shell.js";

test("what arrives out of order is delivered in order, once", () => {
  const got = [];
  const take = inOrder((message) => got.push(message));
  take({ index: 1, message: "b" });
  take({ index: 2, message: "c" });
  assert.deepEqual(got, []);
  take({ index: 0, message: "a" });
  take({ index: 3, message: "d" });
  take({ index: 4, end: true });
  assert.deepEqual(got, ["a", "b", "c", "d"]);
});

test("an event that can't be drawn does not hold back those behind it", () => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error);
  const got = [];
  const take = inOrder((message) => {
    if (message === "bad") throw new Error("no");
    got.push(message);
  });
  take({ index: 0, message: "bad" });
  take({ index: 1, message: "good" });
  assert.deepEqual(got, ["good"]);
  assert.equal(reported.length, 1);
});

test("whatever a question is refused with becomes a sentence", () => {
  assert.deepEqual(refusal({ field: "password", sentence: "Wrong." }), { field: "password", sentence: "Wrong." });
  assert.deepEqual(refusal("Broken."), { field: null, sentence: "Broken." });
});
