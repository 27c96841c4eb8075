import assert from "node:assert/strict";
import { test } from "node:test";
import { Outgoing } from "../outgoing.js";
import { own } from "./samples.js";

test("a typed message waits under its tag until the real one comes, in its own conversation", () => {
  const outgoing = new Outgoing();
  const typed = outgoing.write("a@x.example", "b@x.example", "hi", 5, "t");
  assert.deepEqual(outgoing.of("a@x.example", "b@x.example"), [typed]);
  assert.deepEqual(outgoing.of("a@x.example", "c@x.example"), []);
  assert.equal(outgoing.settle(own(7, { tag: "another" })), null);
  assert.equal(outgoing.settle(own(7, { tag: null })), null);
  assert.equal(outgoing.settle(own(7, { tag: "t" })), typed);
  assert.deepEqual(outgoing.of("a@x.example", "b@x.example"), []);
});

test("typed messages keep their order and their numbers never meet the shell's", () => {
  const outgoing = new Outgoing();
  const all = [1, 2, 3].map((n) => outgoing.write("a", "b", String(n), n, `t${n}`));
  assert.deepEqual(outgoing.of("a", "b"), all);
  assert.ok(all.every((each) => each.id < 0));
  assert.ok(all[0].place < all[1].place && all[1].place < all[2].place);
  assert.ok(all[0].place > "f".repeat(32));
});

test("one that was refused says why and can be taken back", () => {
  const outgoing = new Outgoing();
  const { id } = outgoing.write("a", "b", "x", 1, "t");
  assert.deepEqual(outgoing.fail("t", "Too long.").delivery, { state: "failed", why: "Too long." });
  assert.equal(outgoing.take(id).content.body, "x");
  assert.equal(outgoing.take(id), null);
  assert.equal(outgoing.fail("t", "Too late."), null);
});
