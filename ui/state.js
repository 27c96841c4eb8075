// @ts-check
/**
 * What the window knows: the shell's events, reduced to one value per account. A snapshot replaces all that was
 * known of its account. Views read this and never change it.
 *
 * @typedef {import("./protocol.js").Event} ShellEvent
 * @typedef {import("./protocol.js").Account} Account
 * @typedef {import("./protocol.js").Change} Change
 * @typedef {import("./protocol.js").Connection} Connection
 * @typedef {import("./protocol.js").ConnectionCheck} ConnectionCheck
 * @typedef {import("./protocol.js").Contact} Contact
 * @typedef {import("./protocol.js").Conversation} Conversation
 * @typedef {import("./protocol.js").Message} Message
 * @typedef {import("./protocol.js").Person} Person
 * @typedef {import("./protocol.js").RoundTrip} RoundTrip
 * @typedef {import("./protocol.js").Update} Update
 */

/** What is known in one account. */
export class AccountState {
  /** @param {Account} account */
  constructor(account) {
    this.account = account;
    /** @type {Connection | null} */
    this.connection = null;
    /**
     * How long answers took lately; none before the first.
     *
     * @type {RoundTrip | null}
     */
    this.roundTrip = null;
    /**
     * Since when the machine slept, until everything missed has been read.
     *
     * @type {number | null}
     */
    this.asleepSince = null;
    /** @type {{ stored: number, expected: number | null } | null} */
    this.catchUp = null;
    /**
     * The last check of the connection, as far as it has been told.
     *
     * @type {ConnectionCheck | null}
     */
    this.check = null;
    /** @type {Map<string, Conversation>} */
    this.conversations = new Map();
    /** @type {Map<string, Contact>} */
    this.contacts = new Map();
    /** @type {Map<string, Person>} */
    this.requests = new Map();
    /** @type {Set<string>} */
    this.blocked = new Set();
    /** @type {Set<string>} */
    this.typing = new Set();
    /** @type {Map<string, string>} */
    this.notices = new Map();
    /**
     * Notices that the user has put away, as they read; the same one does not come back.
     *
     * @type {Map<string, string>}
     */
    this.dismissed = new Map();
  }

  /**
   * What must be told of them, the account's own condition first, without what was put away.
   *
   * @returns {Array<{ name: string, text: string }>}
   */
  openNotices() {
    const all = [...this.notices].map(([name, text]) => ({ name, text }));
    if (this.account.notKept !== null) all.unshift({ name: "not-kept", text: this.account.notKept });
    return all.filter(({ name, text }) => this.dismissed.get(name) !== text);
  }

  /**
   * Who somebody is: as the conversation has them, else the roster, else by address alone.
   *
   * @param {string} address
   * @returns {Person}
   */
  person(address) {
    return (
      this.contacts.get(address)?.person ??
      this.conversations.get(address)?.person ??
      this.requests.get(address) ?? {
        address,
        name: address,
        initials: address.slice(0, 1).toLocaleUpperCase(),
        hue: 0,
        stranger: true,
        warning: null,
      }
    );
  }
}

/**
 * What an event changed, so that only those views are drawn again. Messages are handed on: the timeline keeps them.
 *
 * @typedef {{ topic: "opened" }
 *   | { topic: "accounts" }
 *   | { topic: "snapshot", account: string }
 *   | { topic: "connection", account: string }
 *   | { topic: "path", account: string }
 *   | { topic: "check", account: string }
 *   | { topic: "people", account: string }
 *   | { topic: "typing", account: string, with: string }
 *   | { topic: "notices", account: string }
 *   | { topic: "message", account: string, message: Message }
 *   | { topic: "removed", account: string, with: string, id: number }
 *   | { topic: "older", account: string, with: string, more: boolean }
 *   | { topic: "caught-up", account: string }
 *   | { topic: "closing" }
 *   | { topic: "update" }
 *   | { topic: "link", request: import("./protocol.js").LinkRequest }
 *   | { topic: "show", account: string, with: string }} Touched
 */

/** All of it. */
export class State {
  constructor() {
    this.opened = false;
    this.language = "en";
    /** @type {Record<string, import("./protocol.js").Text>} */
    this.texts = {};
    this.version = "";
    /**
     * The new version of the program that is offered.
     *
     * @type {Update | null}
     */
    this.update = null;
    /** @type {Map<string, AccountState>} */
    this.accounts = new Map();
  }

  /** The account in view. One is offered; nothing here depends on there being no second. */
  first() {
    return this.accounts.values().next().value ?? null;
  }

  /**
   * @param {ShellEvent} event
   * @returns {Touched[]} what is different now, in order
   */
  apply(event) {
    switch (event.kind) {
      case "opened": {
        this.opened = true;
        this.language = event.language;
        this.texts = event.texts;
        this.version = event.version;
        // Where there is one it is told next.
        this.update = null;
        const known = this.accounts;
        this.accounts = new Map(event.accounts.map((account) => [account.address, fresh(account, known)]));
        return [{ topic: "opened" }];
      }
      case "account": {
        const known = this.accounts.get(event.account.address);
        if (known) known.account = event.account;
        else this.accounts.set(event.account.address, new AccountState(event.account));
        return [{ topic: "accounts" }];
      }
      case "account-removed":
        this.accounts.delete(event.account);
        return [{ topic: "accounts" }];
      case "snapshot": {
        const known = this.accounts.get(event.account);
        if (!known) return [];
        const state = fresh(known.account, this.accounts);
        this.accounts.set(event.account, state);
        for (const each of event.changes) change(state, event.account, each);
        return [{ topic: "snapshot", account: event.account }];
      }
      case "changes": {
        const state = this.accounts.get(event.account);
        if (!state) return [];
        return event.changes.flatMap((each) => change(state, event.account, each));
      }
      case "check": {
        const state = this.accounts.get(event.account);
        if (!state) return [];
        state.check = event.check;
        return [{ topic: "check", account: event.account }];
      }
      case "link":
        return [{ topic: "link", request: event.request }];
      case "update":
        this.update = event.update;
        return [{ topic: "update" }];
      case "ask-closing":
        return [{ topic: "closing" }];
      case "show":
        return this.accounts.has(event.account)
          ? [{ topic: "show", account: event.account, with: event.with }]
          : [];
    }
  }
}

/**
 * An account of which nothing is known yet but what the user put away or has tested.
 *
 * @param {Account} account
 * @param {Map<string, AccountState>} known
 */
function fresh(account, known) {
  const state = new AccountState(account);
  const earlier = known.get(account.address);
  if (earlier) {
    state.dismissed = earlier.dismissed;
    state.check = earlier.check;
  }
  return state;
}

/**
 * @param {AccountState} state
 * @param {string} account
 * @param {Change} each
 * @returns {Touched[]}
 */
function change(state, account, each) {
  switch (each.kind) {
    case "connection":
      if (each.state === "asleep") state.asleepSince ??= each.since;
      if (each.state === "live" || each.state === "stopped") state.asleepSince = null;
      state.connection = each;
      return [{ topic: "connection", account }];
    case "round-trip":
      state.roundTrip = each;
      return [{ topic: "path", account }];
    case "catch-up":
      state.catchUp = each.done ? null : { stored: each.stored, expected: each.expected };
      return each.done
        ? [{ topic: "connection", account }, { topic: "caught-up", account }]
        : [{ topic: "connection", account }];
    case "conversation":
      state.conversations.set(each.person.address, each);
      return [{ topic: "people", account }];
    case "message":
      return [{ topic: "message", account, message: each }];
    case "removed":
      return [{ topic: "removed", account, with: each.with, id: each.id }];
    case "contact":
      state.contacts.set(each.person.address, each);
      return [{ topic: "people", account }];
    case "contact-removed":
      state.contacts.delete(each.address);
      return [{ topic: "people", account }];
    case "request":
      state.requests.set(each.person.address, each.person);
      return [{ topic: "people", account }];
    case "request-gone":
      state.requests.delete(each.address);
      return [{ topic: "people", account }];
    case "blocked":
      if (each.blocked) state.blocked.add(each.address);
      else state.blocked.delete(each.address);
      return [{ topic: "people", account }];
    case "typing":
      if (each.typing) state.typing.add(each.with);
      else state.typing.delete(each.with);
      return [{ topic: "typing", account, with: each.with }];
    case "older":
      return [{ topic: "older", account, with: each.with, more: each.more }];
    case "notice":
      if (each.text === null) {
        state.notices.delete(each.name);
        state.dismissed.delete(each.name);
      } else {
        // The same sentence said again is said again: it happened again.
        if (state.notices.get(each.name) === each.text && !STANDING.has(each.name)) {
          state.dismissed.delete(each.name);
        }
        state.notices.set(each.name, each.text);
      }
      return [{ topic: "notices", account }];
  }
}

/** Notices that hold until they are taken back; a snapshot repeats them. */
const STANDING = new Set(["no-archive", "no-resumption", "store-failed", "cache-set-aside"]);

/**
 * One line of the list: a conversation, or somebody on the roster to whom nothing was said yet.
 *
 * @typedef {object} Entry
 * @property {Person} person
 * @property {Conversation | null} conversation
 * @property {Contact | null} contact
 * @property {boolean} blocked
 * @property {boolean} typing
 */

/**
 * The list: conversations by their last message, newest first, then contacts by name.
 *
 * @param {AccountState} state
 * @param {string} filter letters that must occur in name or address; empty for all
 * @param {(a: string, b: string) => number} byName
 * @returns {Entry[]}
 */
export function list(state, filter, byName) {
  const wanted = filter.trim().toLocaleLowerCase();
  /** @type {Entry[]} */
  const entries = [];
  for (const address of new Set([...state.conversations.keys(), ...state.contacts.keys()])) {
    const conversation = state.conversations.get(address) ?? null;
    const contact = state.contacts.get(address) ?? null;
    // A conversation that only ever held a draft, with nobody we know, is not one.
    if (conversation && !conversation.last && conversation.draft === "" && !contact) continue;
    const person = state.person(address);
    const found = `${person.name}\n${address}`.toLocaleLowerCase().includes(wanted);
    if (!found) continue;
    entries.push({
      person,
      conversation,
      contact,
      blocked: state.blocked.has(address),
      typing: state.typing.has(address),
    });
  }
  /** @param {Entry} entry */
  const latest = (entry) => entry.conversation?.last?.at ?? 0;
  return entries.sort((a, b) => latest(b) - latest(a) || byName(a.person.name, b.person.name));
}
