import assert from "node:assert/strict";
import { test } from "node:test";
import { list, State } from "../state.js";
import { account, connection, conversation, message, person } from "./samples.js";

const ANNA = "anna@example.org";
const byName = (a, b) => a.localeCompare(b);

function opened(...changes) {
  const state = new State();
  state.apply({ kind: "opened", language: "en", texts: {}, accounts: [account()], version: "1" });
  state.apply({ kind: "snapshot", account: ANNA, changes });
  return state;
}

test("a snapshot replaces all that was known of its account", () => {
  const state = opened(
    { kind: "conversation", ...conversation("bob@example.org") },
    { kind: "request", person: person("zoe@example.org") },
    { kind: "blocked", address: "mallory@example.org", blocked: true },
  );
  state.apply({ kind: "snapshot", account: ANNA, changes: [{ kind: "conversation", ...conversation("carol@example.org") }] });
  const known = state.accounts.get(ANNA);
  assert.deepEqual([...known.conversations.keys()], ["carol@example.org"]);
  assert.equal(known.requests.size, 0);
  assert.equal(known.blocked.size, 0);
});

test("what comes for an account that is not there changes nothing", () => {
  const state = opened();
  assert.deepEqual(state.apply({ kind: "changes", account: "other@example.org", changes: [{ kind: "message", ...message(1) }] }), []);
  assert.deepEqual(state.apply({ kind: "snapshot", account: "other@example.org", changes: [] }), []);
  assert.deepEqual(state.apply({ kind: "show", account: "other@example.org", with: "x@example.org" }), []);
});

test("requests, blocks, contacts and typing come and go", () => {
  const state = opened();
  const known = state.accounts.get(ANNA);
  const apply = (...changes) => state.apply({ kind: "changes", account: ANNA, changes });
  apply({ kind: "request", person: person("z@example.org") }, { kind: "blocked", address: "m@example.org", blocked: true },
    { kind: "typing", with: "b@example.org", typing: true },
    { kind: "contact", person: person("c@example.org"), availability: "online", weSeeThem: true, theySeeUs: true, asked: false });
  assert.deepEqual([known.requests.size, known.blocked.size, known.typing.size, known.contacts.size], [1, 1, 1, 1]);
  apply({ kind: "request-gone", address: "z@example.org" }, { kind: "blocked", address: "m@example.org", blocked: false },
    { kind: "typing", with: "b@example.org", typing: false }, { kind: "contact-removed", address: "c@example.org" });
  assert.deepEqual([known.requests.size, known.blocked.size, known.typing.size, known.contacts.size], [0, 0, 0, 0]);
});

test("since when it slept is remembered until all is read", () => {
  const state = opened({ kind: "connection", ...connection("asleep", { since: 5 }) });
  const known = state.accounts.get(ANNA);
  const apply = (...changes) => state.apply({ kind: "changes", account: ANNA, changes });
  apply({ kind: "connection", ...connection("connecting", { since: 9 }) }, { kind: "connection", ...connection("catching-up", { since: 10 }) },
    { kind: "catch-up", stored: 20, expected: 40, done: false });
  assert.equal(known.asleepSince, 5);
  assert.deepEqual(known.catchUp, { stored: 20, expected: 40 });
  const touched = apply({ kind: "catch-up", stored: 40, expected: 40, done: true }, { kind: "connection", ...connection("live", { since: 11 }) });
  assert.equal(known.asleepSince, null);
  assert.equal(known.catchUp, null);
  assert.ok(touched.some((each) => each.topic === "caught-up"));
});

test("a notice put away stays away over a snapshot, and comes back when it is another", () => {
  const notice = (text) => ({ kind: "notice", name: "no-archive", text });
  const state = opened(notice("No history."));
  const open = () => state.accounts.get(ANNA).openNotices().map((each) => each.text);
  assert.deepEqual(open(), ["No history."]);
  state.accounts.get(ANNA).dismissed.set("no-archive", "No history.");
  assert.deepEqual(open(), []);
  state.apply({ kind: "snapshot", account: ANNA, changes: [notice("No history.")] });
  assert.deepEqual(open(), []);
  state.apply({ kind: "changes", account: ANNA, changes: [notice("Another.")] });
  assert.deepEqual(open(), ["Another."]);
});

test("a notice that no longer holds is gone, and is said again when it holds again", () => {
  const notice = (text) => state.apply({ kind: "changes", account: ANNA, changes: [{ kind: "notice", name: "store-failed", text }] });
  const state = opened();
  const known = state.accounts.get(ANNA);
  notice("The disk is full.");
  known.dismissed.set("store-failed", "The disk is full.");
  notice(null);
  assert.deepEqual(known.openNotices(), []);
  notice("The disk is full.");
  assert.equal(known.openNotices().length, 1);
});

test("what could not be done is said each time it could not be done", () => {
  const state = opened();
  const known = state.accounts.get(ANNA);
  const refuse = () => state.apply({ kind: "changes", account: ANNA, changes: [{ kind: "notice", name: "cannot-do", text: "No." }] });
  refuse();
  known.dismissed.set("cannot-do", "No.");
  refuse();
  assert.equal(known.openNotices().length, 1);
});

test("a password that can't be kept is said as a notice", () => {
  const state = opened();
  state.apply({ kind: "account", account: account({ notKept: "There is no keyring." }) });
  assert.deepEqual(state.accounts.get(ANNA).openNotices(), [{ name: "not-kept", text: "There is no keyring." }]);
});

test("the list has the latest conversation first, then contacts by name, and filters by name and address", () => {
  const contact = (address, name) => ({
    kind: "contact", person: person(address, { name }), availability: "online", weSeeThem: true, theySeeUs: true, asked: false,
  });
  const state = opened(
    { kind: "conversation", ...conversation("old@example.org", { last: message(1) }) },
    { kind: "conversation", ...conversation("new@example.org", { last: message(2) }) },
    contact("zoe@example.org", "Zoë"), contact("x@example.org", "Adam"), contact("old@example.org", "Oldie"),
  );
  const addresses = (filter) => list(state.accounts.get(ANNA), filter, byName).map((each) => each.person.address);
  assert.deepEqual(addresses(""), ["new@example.org", "old@example.org", "x@example.org", "zoe@example.org"]);
  assert.deepEqual(addresses("OLDI"), ["old@example.org"]);
  assert.deepEqual(addresses("x@"), ["x@example.org"]);
  assert.deepEqual(addresses("nobody"), []);
});

test("a new version is kept until it is taken back or the page is told everything anew", () => {
  const state = opened();
  const update = { version: "0.2.0", notes: "", stage: "offered", problem: null };
  assert.deepEqual(state.apply({ kind: "update", update }), [{ topic: "update" }]);
  assert.deepEqual(state.update, update);
  state.apply({ kind: "update", update: null });
  assert.equal(state.update, null);
  state.apply({ kind: "update", update });
  state.apply({ kind: "opened", language: "en", texts: {}, accounts: [], version: "1" });
  assert.equal(state.update, null);
});

test("signing out leaves nothing of the account", () => {
  const state = opened({ kind: "conversation", ...conversation("bob@example.org") });
  state.apply({ kind: "account-removed", account: ANNA });
  assert.equal(state.first(), null);
});
