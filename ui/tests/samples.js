// Values for tests.

let next = 1;

/** @param {number} n */
export function place(n) {
  return n.toString(16).padStart(32, "0");
}

export function message(n, changes = {}) {
  return {
    id: n,
    with: "bob@example.org",
    place: place(n),
    own: false,
    at: 1_700_000_000_000 + n * 1000,
    content: { kind: "text", body: `message ${n}` },
    edited: false,
    delivery: null,
    tag: null,
    ...changes,
  };
}

export function own(n, changes = {}) {
  return message(n, { own: true, delivery: { state: "sent" }, ...changes });
}

export function stretch(from, to, changes = {}) {
  const messages = [];
  for (let n = from; n <= to; n += 1) messages.push(message(n));
  return { messages, older: false, newer: false, beginning: true, gap: null, ...changes };
}

export function person(address, changes = {}) {
  return { address, name: address, initials: "A", hue: 1, stranger: false, warning: null, ...changes };
}

export function account(changes = {}) {
  return { address: "anna@example.org", endpoint: null, proxy: null, wantsPassword: null, notKept: null, muted: [], ...changes };
}

export function connection(state, changes = {}) {
  return { state, since: 0, cause: "The connection was lost.", retryAt: null, passwordRefused: false, ...changes };
}

export function conversation(address, changes = {}) {
  return { person: person(address), last: null, unread: 0, readUpTo: null, draft: "", ...changes };
}

export function freshTag() {
  next += 1;
  return `tag-${next}`;
}
