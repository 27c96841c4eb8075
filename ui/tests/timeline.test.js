import assert from "node:assert/strict";
import { test } from "node:test";
import { Outgoing } from "../outgoing.js";
import { MOST, Timeline } from "../timeline.js";
import { message, own, place, stretch } from "./samples.js";

const filled = (...args) => {
  const timeline = new Timeline();
  timeline.reset(stretch(...args));
  return timeline;
};
const ids = (timeline) => timeline.messages.map((each) => each.id);
const kinds = (timeline) => timeline.rows().map((row) => row.kind);

test("a message is put where its place says, and once", () => {
  const timeline = filled(1, 3);
  timeline.change(message(7));
  timeline.change(message(5));
  timeline.change(message(5, { edited: true }));
  assert.deepEqual(ids(timeline), [1, 2, 3, 5, 7]);
  assert.equal(timeline.messages[3].edited, true);
});

test("a message that moved stands in its new place only", () => {
  const timeline = filled(1, 5);
  assert.equal(timeline.change(message(2, { place: place(9) })), "changed");
  assert.deepEqual(ids(timeline), [1, 3, 4, 5, 2]);
});

test("a typed message becomes the real one: one row, the same key, never two", () => {
  const timeline = filled(1, 2);
  const outgoing = new Outgoing();
  const typed = outgoing.write("a@b.example", "bob@example.org", "hello", Date.now(), "t1");
  timeline.write(typed);
  const before = timeline.rows().at(-1).key;
  const real = own(9, { tag: "t1", content: { kind: "text", body: "hello" } });
  timeline.change(real, outgoing.settle(real));
  assert.deepEqual(ids(timeline), [1, 2, 9]);
  assert.equal(timeline.rows().at(-1).key, before);
  timeline.change({ ...real, tag: null, delivery: { state: "read" } }, outgoing.settle({ ...real, tag: null }));
  assert.deepEqual(ids(timeline), [1, 2, 9]);
  assert.equal(timeline.rows().at(-1).key, before);
});

test("a typed message is there at once also far from the end, and stays through reading on", () => {
  const outgoing = new Outgoing();
  const timeline = filled(1, 10, { newer: true });
  timeline.write(outgoing.write("a@b.example", "bob@example.org", "mine", 1, "t"));
  assert.equal(timeline.rows().at(-1).message.tag, "t");
  assert.equal(timeline.lastPlace(), place(10));
  timeline.addNewer(stretch(11, 20), outgoing.of("a@b.example", "bob@example.org"));
  assert.deepEqual(ids(timeline), [...Array.from({ length: 20 }, (_, i) => i + 1), -1]);
});

test("what arrives while something typed is not confirmed stands above it", () => {
  const timeline = filled(1, 2);
  timeline.write(new Outgoing().write("a@b.example", "bob@example.org", "mine", 1, "t"));
  assert.equal(timeline.change(message(3)), "behind");
  assert.deepEqual(ids(timeline).slice(0, 3), [1, 2, 3]);
});

test("reading a conversation again keeps what was typed, and drops what has become real meanwhile", () => {
  const outgoing = new Outgoing();
  outgoing.write("a@b.example", "bob@example.org", "one", 1, "t1");
  outgoing.write("a@b.example", "bob@example.org", "two", 2, "t2");
  const timeline = new Timeline();
  const part = stretch(1, 2);
  part.messages.push(own(3, { tag: "t1" }));
  timeline.reset(part, null, outgoing.of("a@b.example", "bob@example.org"));
  assert.deepEqual(timeline.messages.map((each) => each.tag), [null, null, "t1", "t2"]);
});

test("a message above the run is not taken in, but known of", () => {
  const timeline = filled(50, 60, { older: false });
  assert.equal(timeline.change(message(3)), "outside");
  assert.equal(timeline.older, true);
  assert.equal(timeline.messages[0].id, 50);
});

test("a message behind a run that does not reach the end is not taken in", () => {
  const timeline = filled(1, 10, { newer: true });
  assert.equal(timeline.change(message(99)), "outside");
  assert.deepEqual(ids(timeline).at(-1), 10);
});

test("pages are joined without doubles at either end", () => {
  const timeline = filled(51, 100, { older: true, beginning: false, newer: true });
  assert.equal(timeline.addOlder(stretch(11, 51, { older: true, beginning: false })), 40);
  assert.equal(timeline.addNewer(stretch(100, 120, { newer: false })), 20);
  assert.deepEqual(ids(timeline), Array.from({ length: 110 }, (_, i) => i + 11));
  assert.equal(timeline.older, true);
  assert.equal(timeline.newer, false);
});

test("the run keeps its bound, lets go of what is far from the reader, and says so", () => {
  const timeline = filled(1, 190);
  for (let n = 191; n <= 260; n += 1) timeline.change(message(n));
  timeline.trim(timeline.messages.length - 1);
  assert.equal(timeline.messages.length, MOST);
  assert.equal(timeline.messages.at(-1).id, 260);
  assert.equal(timeline.older, true);
  assert.equal(timeline.beginning, false);
  assert.equal(timeline.newer, false);

  const above = filled(1, 200, { newer: false });
  above.addOlder({ ...stretch(0, 0), messages: [] });
  for (let n = 201; n <= 260; n += 1) above.change(message(n));
  above.trim(3);
  assert.equal(above.messages.length, MOST);
  assert.equal(above.messages[0].id, 1);
  assert.equal(above.newer, true);
});

test("ten thousand messages that arrive leave a bounded run, whichever way they come", () => {
  const timeline = filled(1_000_000, 1_000_010);
  for (let n = 0; n < 10_000; n += 1) {
    timeline.change(message(n % 2 === 0 ? 2_000_000 + n : 500_000 - n));
    timeline.trim(timeline.messages.length - 1);
  }
  assert.ok(timeline.messages.length <= MOST);
  assert.ok(timeline.keys.size <= MOST);
  const places = timeline.messages.map((each) => each.place);
  assert.deepEqual(places, [...places].sort());
});

test("messages of one sender within five minutes are one group", () => {
  const timeline = new Timeline();
  const minute = 60_000;
  const at = new Date(2024, 4, 5, 12).getTime();
  timeline.reset({ ...stretch(1, 0), messages: [
    message(1, { at }), message(2, { at: at + minute }), own(3, { at: at + 2 * minute }),
    message(4, { at: at + 3 * minute }), message(5, { at: at + 9 * minute }),
  ] });
  const groups = timeline.rows().filter((row) => row.kind === "message").map((row) => [row.first, row.last]);
  assert.deepEqual(groups, [[true, false], [false, true], [true, true], [true, true], [true, true]]);
});

test("each local day begins with its date, and a group ends with the day", () => {
  const timeline = new Timeline();
  const midnight = new Date(2024, 4, 5).getTime();
  timeline.reset({ ...stretch(1, 0), beginning: false, messages: [message(1, { at: midnight - 60_000 }), message(2, { at: midnight + 60_000 })] });
  assert.deepEqual(kinds(timeline), ["day", "message", "day", "message"]);
  assert.equal(timeline.rows()[1].last, true);
  assert.equal(timeline.rows()[3].first, true);
});

test("the new line stands once, before the first of theirs that was not read", () => {
  const timeline = new Timeline();
  timeline.reset({ ...stretch(1, 0), beginning: false, messages: [message(1), message(2), own(3), message(4), message(5)] });
  timeline.newAfter = place(2);
  assert.deepEqual(kinds(timeline), ["day", "message", "message", "message", "new", "message", "message"]);
  assert.equal(timeline.hasNew(), true);
  timeline.newAfter = place(5);
  assert.equal(timeline.hasNew(), false);
  assert.ok(!kinds(timeline).includes("new"));
});

test("a gap is shown between its two sides, and only while both are there", () => {
  const timeline = filled(1, 10, { gap: [place(4), place(5)], beginning: false });
  assert.deepEqual(kinds(timeline).indexOf("gap"), 5);
  timeline.messages.splice(0, 4);
  assert.ok(!kinds(timeline).includes("gap"));
});

test("where it begins is said only where nothing older is", () => {
  assert.equal(kinds(filled(1, 2))[0], "beginning");
  assert.equal(kinds(filled(1, 2, { older: true }))[0], "day");
  assert.equal(kinds(filled(1, 2, { beginning: false }))[0], "day");
});

test("the last own message with a text can be edited, a failed or withdrawn one can't", () => {
  const timeline = new Timeline();
  timeline.reset({ ...stretch(1, 0), messages: [
    own(1), message(2), own(3, { delivery: { state: "failed", why: "No." } }), own(4, { content: { kind: "retracted" } }),
  ] });
  assert.equal(timeline.lastEditable().id, 1);
});

test("a message taken away is gone, and the groups close over it", () => {
  const timeline = filled(1, 3);
  assert.equal(timeline.remove(2), true);
  assert.equal(timeline.remove(2), false);
  assert.deepEqual(ids(timeline), [1, 3]);
});
