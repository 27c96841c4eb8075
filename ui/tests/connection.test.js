import assert from "node:assert/strict";
import { test } from "node:test";
import { looks, secondsUntil, SETTLE, Settling } from "../connection.js";
import { connection } from "./samples.js";

const time = (at) => `${at} o'clock`;
const look = (state, { changes = {}, catchUp = null, slept = null, wants = null, now = 0 } = {}) =>
  looks(connection(state, changes), catchUp, slept, wants, now, time);

test("while all is well there is no banner", () => {
  assert.equal(look("live").banner, null);
  assert.equal(look("live").chip.key, "ui-connection-live");
});

test("every other state has words in chip and banner", () => {
  for (const state of ["asleep", "offline", "connecting", "signing-in", "catching-up", "suspect", "waiting", "stopped"]) {
    assert.equal(look(state).chip.key, `ui-connection-${state}`);
    assert.ok(look(state).banner, state);
  }
});

test("waiting counts whole seconds down, never to nothing, and can be cut short", () => {
  const waiting = (now) => look("waiting", { changes: { retryAt: 4000 }, now });
  assert.deepEqual(waiting(0).banner, { key: "ui-banner-back-in", args: { n: 4 } });
  assert.deepEqual(waiting(3001).banner.args, { n: 1 });
  assert.deepEqual(waiting(9000).banner.args, { n: 1 });
  assert.equal(waiting(0).retry, true);
  assert.equal(waiting(0).cause, "The connection was lost.");
  assert.equal(secondsUntil(1001, 0), 2);
});

test("catching up tells how far it is, and since when it slept", () => {
  assert.equal(look("catching-up").banner.key, "ui-banner-catching-up");
  assert.deepEqual(look("catching-up", { catchUp: { stored: 120, expected: 340 }, slept: 14 }).banner, {
    key: "ui-banner-asleep-catching-up-of", args: { since: "14 o'clock", stored: 120, n: 340 },
  });
  assert.deepEqual(look("catching-up", { catchUp: { stored: 120, expected: null } }).banner, {
    key: "ui-banner-catching-up-some", args: { n: 120 },
  });
  assert.equal(look("catching-up", { catchUp: { stored: 120, expected: 100 } }).banner.key, "ui-banner-catching-up-some");
});

test("a password is asked for where one is wanted or was refused, and nowhere else", () => {
  assert.equal(look("stopped", { changes: { passwordRefused: true } }).password, true);
  assert.equal(look("stopped", { changes: { passwordRefused: true } }).retry, false);
  assert.equal(look("stopped").password, false);
  assert.equal(look("stopped").retry, true);
  const wanted = look("stopped", { wants: "There is no keyring." });
  assert.equal(wanted.password, true);
  assert.equal(wanted.cause, "There is no keyring.");
  assert.equal(look("waiting").password, false);
});

test("what is over in 300 ms is not shown", () => {
  const settling = new Settling();
  assert.equal(settling.ask("live", true, 0), null);
  assert.equal(settling.ask("suspect", false, 1000), SETTLE);
  assert.equal(settling.ask("suspect", false, 1200), 100);
  assert.equal(settling.ask("live", true, 1250), null);
  assert.equal(settling.shown, "live");
  assert.equal(settling.ask("suspect", false, 2000), SETTLE);
});

test("what lasts is shown, also where it kept changing", () => {
  const settling = new Settling();
  settling.ask("live", true, 0);
  assert.equal(settling.ask("connecting", false, 1000), SETTLE);
  assert.equal(settling.ask("signing-in", false, 1200), 100);
  assert.equal(settling.ask("catching-up", false, 1300), null);
  assert.equal(settling.shown, "catching-up");
});

test("a short attempt between two waits does not flicker", () => {
  const settling = new Settling();
  assert.equal(settling.ask("waiting", false, 0), null);
  assert.equal(settling.ask("connecting", false, 1000), SETTLE);
  assert.equal(settling.ask("waiting", false, 1020), null);
  assert.equal(settling.ask("connecting", false, 5000), SETTLE);
});

test("the first state of all and good news are shown at once", () => {
  const settling = new Settling();
  assert.equal(settling.ask("offline", false, 0), null);
  assert.equal(settling.ask("live", true, 1), null);
});
