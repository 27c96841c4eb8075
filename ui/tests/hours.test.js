import assert from "node:assert/strict";
import { test } from "node:test";
import { minutesOf, timeOf } from "../hours.js";

test("a time of the day is the same there and back", () => {
  for (const minutes of [0, 1, 59, 60, 22 * 60, 23 * 60 + 59]) assert.equal(minutesOf(timeOf(minutes)), minutes);
  assert.equal(timeOf(425), "07:05");
});

test("what is half typed or no time is none", () => {
  for (const time of ["", "7", "24:00", "12:60", "ab:cd"]) assert.equal(minutesOf(time), null);
});
