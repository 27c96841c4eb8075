import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Drafts, REST } from "../drafts.js";

let kept = [];
let timers = [];
let drafts;
const clock = {
  set: (work, after) => {
    const timer = { work, after };
    timers.push(timer);
    return timer;
  },
  clear: (timer) => {
    timers = timers.filter((each) => each !== timer);
  },
};
const rest = () => {
  const due = timers;
  timers = [];
  for (const { work } of due) work();
};

beforeEach(() => {
  kept = [];
  timers = [];
  drafts = new Drafts((account, to, text) => kept.push([account, to, text]), clock);
});

test("a draft is kept once typing rests, as it stands then", () => {
  drafts.typed("a", "b", "h");
  drafts.typed("a", "b", "he");
  assert.deepEqual(kept, []);
  assert.equal(timers.length, 1);
  assert.equal(timers[0].after, REST);
  rest();
  assert.deepEqual(kept, [["a", "b", "he"]]);
});

test("another conversation keeps the draft of the first at once", () => {
  drafts.typed("a", "b", "one");
  drafts.typed("a", "c", "two");
  assert.deepEqual(kept, [["a", "b", "one"]]);
  drafts.flush();
  assert.deepEqual(kept.at(-1), ["a", "c", "two"]);
});

test("what was sent leaves no draft, not even a late one", () => {
  drafts.typed("a", "b", "hello");
  drafts.sent("a", "b");
  rest();
  assert.deepEqual(kept, []);
  drafts.typed("a", "b", "hello");
  rest();
  drafts.sent("a", "b");
  assert.deepEqual(kept, [["a", "b", "hello"], ["a", "b", ""]]);
});

test("the current draft is what is being typed, else what the shell told", () => {
  drafts.told("a", "b", "from before");
  assert.equal(drafts.current("a", "b"), "from before");
  drafts.typed("a", "b", "now");
  drafts.told("a", "b", "from before");
  assert.equal(drafts.current("a", "b"), "now");
  assert.equal(drafts.current("a", "other"), "");
});

test("an unchanged draft is not given twice", () => {
  drafts.told("a", "b", "same");
  drafts.typed("a", "b", "same");
  rest();
  assert.deepEqual(kept, []);
});

test("signing out leaves no draft, neither kept nor on its way", () => {
  drafts.told("a", "b", "old");
  drafts.told("other", "b", "theirs");
  drafts.typed("a", "c", "new");
  drafts.forget("a");
  rest();
  assert.deepEqual(kept, []);
  assert.equal(drafts.current("a", "b"), "");
  assert.equal(drafts.current("a", "c"), "");
  assert.equal(drafts.current("other", "b"), "theirs");
});
