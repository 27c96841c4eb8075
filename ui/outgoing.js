// @ts-check
/**
 * Messages that were typed and of which the shell has not told yet. Each stands in the timeline from the next frame
 * on, under its tag; the real message with the same tag takes its place and never stands beside it.
 *
 * @typedef {import("./protocol.js").Message} Message
 */

/** Sorts after every place of the shell's, which are hexadecimal. */
const BEHIND_ALL = "~";

/** What was typed in all conversations of all accounts. */
export class Outgoing {
  constructor() {
    /** @type {Map<string, { account: string, message: Message }>} */
    this.byTag = new Map();
    this.counter = 0;
  }

  /**
   * @param {string} account
   * @param {string} withWhom
   * @param {string} body
   * @param {number} at milliseconds since 1970
   * @param {string} tag not used before
   * @returns {Message}
   */
  write(account, withWhom, body, at, tag) {
    this.counter += 1;
    /** @type {Message} */
    const message = {
      id: -this.counter,
      with: withWhom,
      place: BEHIND_ALL + String(this.counter).padStart(12, "0"),
      own: true,
      at,
      content: { kind: "text", body },
      edited: false,
      delivery: { state: "queued" },
      tag,
    };
    this.byTag.set(tag, { account, message });
    return message;
  }

  /**
   * The real message has come.
   *
   * @param {Message} message
   * @returns {Message | null} the one whose place it takes
   */
  settle(message) {
    if (message.tag === null) return null;
    const found = this.byTag.get(message.tag);
    if (!found) return null;
    this.byTag.delete(message.tag);
    return found.message;
  }

  /**
   * The shell did not take it.
   *
   * @param {string} tag
   * @param {string} why a sentence
   * @returns {Message | null} how it looks now
   */
  fail(tag, why) {
    const found = this.byTag.get(tag);
    if (!found) return null;
    found.message = { ...found.message, delivery: { state: "failed", why } };
    return found.message;
  }

  /**
   * Takes back one that failed, to be sent again or forgotten.
   *
   * @param {number} id
   * @returns {Message | null}
   */
  take(id) {
    for (const [tag, { message }] of this.byTag) {
      if (message.id === id) {
        this.byTag.delete(tag);
        return message;
      }
    }
    return null;
  }

  /**
   * Those of one conversation, in the order they were typed.
   *
   * @param {string} account
   * @param {string} withWhom
   * @returns {Message[]}
   */
  of(account, withWhom) {
    return [...this.byTag.values()]
      .filter((each) => each.account === account && each.message.with === withWhom)
      .map((each) => each.message);
  }

  /** @param {string} account whose messages are forgotten */
  forget(account) {
    for (const [tag, each] of this.byTag) if (each.account === account) this.byTag.delete(tag);
  }
}
