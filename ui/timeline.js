// @ts-check
/**
 * The window onto one conversation: a bounded run of neighbouring messages around what is being read, and the rows
 * that it makes on screen. The cache may hold a hundred thousand; here stand at most {@link MOST}.
 *
 * The run has no holes of its own making: a message outside of it is not taken in, it only makes `older` or `newer`
 * true, and is read from the cache when the reader comes there. Places compare as text.
 *
 * @typedef {import("./protocol.js").Message} Message
 * @typedef {import("./protocol.js").Stretch} Stretch
 */
import { localDay } from "./translate.js";

/** So many messages stand in the window at most. */
export const MOST = 200;
/** So many are read at a time. */
export const PAGE = 50;
/** Messages of one sender closer than this share one name. */
export const GROUP_WITHIN = 5 * 60 * 1000;

/**
 * @typedef {{ kind: "beginning", key: string }
 *   | { kind: "day", key: string, at: number }
 *   | { kind: "gap", key: string }
 *   | { kind: "new", key: string }
 *   | { kind: "message", key: string, message: Message, first: boolean, last: boolean }} Row
 */

/** A run of messages, oldest first. */
export class Timeline {
  constructor() {
    /** @type {Message[]} */
    this.messages = [];
    /** The cache has older ones. */
    this.older = false;
    /** The cache has newer ones. */
    this.newer = false;
    /** There is nothing older anywhere. */
    this.beginning = false;
    /**
     * Between these two places the archive may hold more.
     *
     * @type {Array<[string, string]>}
     */
    this.gaps = [];
    /**
     * New is what they wrote behind this place; null: nothing is.
     *
     * @type {string | null}
     */
    this.newAfter = null;
    /**
     * What a message is called on screen while it is there, whatever number it gets.
     *
     * @type {Map<number, string>}
     */
    this.keys = new Map();
  }

  /** The place of the oldest message in the run, nothing if there is none. */
  firstPlace() {
    return this.messages[0]?.place ?? null;
  }

  /** The place of the newest message that the shell knows. */
  lastPlace() {
    for (let i = this.messages.length - 1; i >= 0; i -= 1) {
      const message = this.messages[i];
      if (message && message.id >= 0) return message.place;
    }
    return null;
  }

  /**
   * Another run altogether, which may be made of two neighbouring parts.
   *
   * @param {Stretch} newest or the part behind
   * @param {Stretch | null} before the part before it
   * @param {Message[]} typed messages the shell has not told of yet; they stand at the very end
   */
  reset(newest, before = null, typed = []) {
    this.messages = before ? [...before.messages, ...newest.messages] : [...newest.messages];
    const oldest = before ?? newest;
    this.older = oldest.older;
    this.beginning = oldest.beginning;
    this.newer = newest.newer;
    this.gaps = [newest.gap, before?.gap ?? null].filter((gap) => gap !== null);
    const tags = new Set(this.messages.map((message) => message.tag));
    if (!this.newer) this.messages.push(...typed.filter((message) => !tags.has(message.tag)));
    this.trim(this.messages.length - 1);
  }

  /**
   * Takes in what the cache holds before the run.
   *
   * @param {Stretch} stretch
   */
  addOlder(stretch) {
    const first = this.firstPlace();
    const added = stretch.messages.filter((message) => first === null || message.place < first);
    const known = new Set(this.messages.map((message) => message.id));
    this.messages.unshift(...added.filter((message) => !known.has(message.id)));
    this.older = stretch.older;
    this.beginning = stretch.beginning;
    this.addGap(stretch.gap);
    return added.length;
  }

  /**
   * Takes in what the cache holds behind the run.
   *
   * @param {Stretch} stretch
   * @param {Message[]} typed messages the shell has not told of yet
   */
  addNewer(stretch, typed = []) {
    const last = this.lastPlace();
    const known = new Set(this.messages.map((message) => message.id));
    const added = stretch.messages.filter(
      (message) => (last === null || message.place > last) && !known.has(message.id),
    );
    this.messages = [...this.messages.filter((message) => message.id >= 0), ...added];
    this.newer = stretch.newer;
    this.addGap(stretch.gap);
    if (!this.newer) {
      const tags = new Set(this.messages.map((message) => message.tag));
      this.messages.push(...typed.filter((message) => !tags.has(message.tag)));
    }
    return added.length;
  }

  /** @param {[string, string] | null} gap */
  addGap(gap) {
    if (gap && !this.gaps.some(([from]) => from === gap[0])) this.gaps.push(gap);
  }

  /**
   * Shows a message just typed, at the very end: also behind a run that does not reach there, since whoever writes
   * is taken to the end.
   *
   * @param {Message} message
   */
  write(message) {
    this.messages.push(message);
  }

  /**
   * A message is new or looks different now.
   *
   * @param {Message} message
   * @param {Message | null} inPlaceOf the typed one that it stands for
   * @returns {"changed" | "added" | "behind" | "outside"} `behind`: added as the newest
   */
  change(message, inPlaceOf = null) {
    if (inPlaceOf) {
      this.keys.set(message.id, this.key(inPlaceOf));
      const typed = this.messages.findIndex((each) => each.id === inPlaceOf.id);
      if (typed >= 0) this.messages.splice(typed, 1);
    }
    const at = this.messages.findIndex((each) => each.id === message.id);
    if (at >= 0) {
      if (this.messages[at]?.place === message.place) {
        this.messages[at] = message;
        return "changed";
      }
      this.messages.splice(at, 1);
    }
    const first = this.firstPlace();
    if (first !== null && message.place < first && at < 0) {
      // Told of, but further up than the run: it is read when the reader comes there.
      this.older = true;
      return "outside";
    }
    if (this.newer) {
      const last = this.lastPlace();
      if (last === null || message.place > last) return "outside";
    }
    let index = this.messages.length;
    while (index > 0 && (this.messages[index - 1]?.place ?? "") > message.place) index -= 1;
    this.messages.splice(index, 0, message);
    if (at >= 0) return "changed";
    return message.place === this.lastPlace() ? "behind" : "added";
  }

  /**
   * @param {number} id
   * @returns {boolean} whether it was here
   */
  remove(id) {
    const at = this.messages.findIndex((each) => each.id === id);
    if (at >= 0) this.messages.splice(at, 1);
    this.keys.delete(id);
    return at >= 0;
  }

  /**
   * Lets go of what is furthest from what is being read, so that the run keeps its bound.
   *
   * @param {number} reading the index of a message in view
   */
  trim(reading) {
    const excess = this.messages.length - MOST;
    if (excess <= 0) return;
    const above = Math.min(Math.max(0, reading - (MOST >> 1)), excess);
    if (above > 0) {
      this.messages.splice(0, above);
      this.older = true;
      this.beginning = false;
    }
    if (this.messages.length > MOST) {
      this.messages.splice(MOST);
      this.newer = true;
    }
    const here = new Set(this.messages.map((message) => message.id));
    for (const id of this.keys.keys()) if (!here.has(id)) this.keys.delete(id);
  }

  /**
   * The name of a message's element; it stays when a typed message becomes a real one.
   *
   * @param {Message} message
   */
  key(message) {
    return this.keys.get(message.id) ?? `m${message.id}`;
  }

  /** The last own message whose text can be replaced. */
  lastEditable() {
    for (let i = this.messages.length - 1; i >= 0; i -= 1) {
      const message = this.messages[i];
      if (message && editable(message)) return message;
    }
    return null;
  }

  /** Whether a message of theirs stands behind the "new" line. */
  hasNew() {
    const after = this.newAfter;
    return after !== null && this.messages.some((message) => !message.own && message.place > after);
  }

  /** @returns {Row[]} what stands on screen, from the top */
  rows() {
    /** @type {Row[]} */
    const rows = [];
    if (this.beginning && !this.older && this.messages.length > 0) rows.push({ kind: "beginning", key: "beginning" });
    /** @type {Message | null} */
    let previous = null;
    let newShown = this.newAfter === null;
    this.messages.forEach((message, index) => {
      const next = this.messages[index + 1] ?? null;
      const separated = rows.length;
      if (previous !== null && this.gapBetween(previous, message)) {
        rows.push({ kind: "gap", key: `gap-${message.id}` });
      }
      const day = localDay(message.at);
      if (previous === null || localDay(previous.at) !== day) {
        rows.push({ kind: "day", key: `day-${this.key(message)}`, at: message.at });
      }
      if (!newShown && !message.own && message.place > (this.newAfter ?? "")) {
        rows.push({ kind: "new", key: "new" });
        newShown = true;
      }
      const broken = rows.length > separated;
      const first = previous === null || broken || !together(previous, message);
      const last = next === null || !together(message, next) || localDay(next.at) !== day || this.gapBetween(message, next)
        || (!newShown && !next.own && next.place > (this.newAfter ?? ""));
      rows.push({ kind: "message", key: this.key(message), message, first, last });
      previous = message;
    });
    return rows;
  }

  /**
   * @param {Message} earlier
   * @param {Message} later
   */
  gapBetween(earlier, later) {
    return this.gaps.some(([from, to]) => earlier.place <= from && later.place >= to);
  }
}

/**
 * @param {Message} a
 * @param {Message} b
 */
function together(a, b) {
  return a.own === b.own && Math.abs(b.at - a.at) < GROUP_WITHIN;
}

/** @param {Message} message whose text its user may still replace */
export function editable(message) {
  return message.own && message.id >= 0 && message.content.kind === "text"
    && message.delivery !== null && message.delivery.state !== "failed";
}
