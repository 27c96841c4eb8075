// @ts-check
/**
 * Reading a conversation: which part of it is in the window, and when more is read from the cache or asked of the
 * archive. The rows are drawn by `timeline_view.js`; what counts as read is `seen.js`.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 * @typedef {import("../protocol.js").Stretch} Stretch
 */
import { act, stretch } from "../shell.js";
import { MOST, PAGE, Timeline } from "../timeline.js";
import { find, setAttribute, setText } from "./element.js";
import { messageCommands } from "./message_commands.js";
import { Seen } from "./seen.js";
import { TimelineView } from "./timeline_view.js";

/** What takes no longer than this is not announced, in milliseconds. */
const QUIET = 300;
/** An archive that gives so many answers in a row without a message to show is asked again only on scrolling. */
const EMPTY_ANSWERS = 4;
/** The first part fills the largest window; more follows behind the first frame. */
const FIRST = 30;
/** More unread messages than this: the reading begins at the first of them, not at the last. */
const MANY_UNREAD = 140;

/** The conversation in view. */
export class Reader {
  /**
   * @param {App} app
   * @param {{ edit: (message: Message) => void, send: (body: string) => void }} composer
   */
  constructor(app, composer) {
    this.app = app;
    this.timeline = new Timeline();
    /** @type {string | null} */
    this.with = null;
    /** @type {string | null} */
    this.account = null;
    /** Grows with each conversation opened: answers for an earlier one are dropped. */
    this.turn = 0;
    this.loaded = false;
    /**
     * Changes that came while the cache was being read.
     *
     * @type {Array<() => void>}
     */
    this.waiting = [];
    this.readingOlder = false;
    this.readingNewer = false;
    /** The archive was asked and has not answered. */
    this.asked = false;
    /** What is being waited for takes long enough to be said. */
    this.slow = false;
    this.emptyAnswers = 0;
    /** The archive said that there is nothing older. */
    this.exhausted = false;
    this.scheduled = false;
    this.wasLive = false;

    this.scroller = find("#timeline");
    this.older = find("#loading-older");
    this.empty = find("#no-messages");
    this.view = new TimelineView(app, {
      ...messageCommands(app, composer, (message) => this.forget(message)),
      steadily: (change) => this.view.steadily(change),
    }, {
      near: (top, bottom) => this.near(top, bottom),
      scrolled: () => this.seen.looked(),
    });
    this.seen = new Seen(app, this);
  }

  /**
   * Reads a conversation from the cache and shows its end, or the first of what is new.
   *
   * @param {string | null} account
   * @param {string | null} withWhom
   */
  async open(account, withWhom) {
    this.turn += 1;
    const turn = this.turn;
    this.account = account;
    this.with = withWhom;
    this.timeline = new Timeline();
    this.loaded = false;
    this.waiting = [];
    this.readingOlder = false;
    this.readingNewer = false;
    this.asked = false;
    this.slow = false;
    this.exhausted = false;
    this.emptyAnswers = 0;
    this.view.clear();
    this.scroller.hidden = account === null || withWhom === null;
    this.empty.hidden = true;
    this.older.hidden = true;
    this.seen.begin();
    if (account === null || withWhom === null) return;
    const conversation = this.app.account?.conversations.get(withWhom);
    const unread = conversation?.unread ?? 0;
    if (unread > 0) this.timeline.newAfter = conversation?.readUpTo ?? "";
    setAttribute(this.scroller, "aria-label", this.app.say("ui-messages-with", { name: this.app.account?.person(withWhom).name ?? withWhom }));
    this.sayIfSlow(turn);
    try {
      const [newest, before] = await this.firstPart(unread, conversation?.readUpTo ?? null);
      if (turn !== this.turn) return;
      this.timeline.reset(newest, before, this.app.outgoing.of(account, withWhom));
    } catch (error) {
      if (turn !== this.turn) return;
      this.app.complain(account, error);
      this.timeline.reset(NOTHING, null, this.app.outgoing.of(account, withWhom));
    }
    this.arrived();
    this.drawNow();
    this.view.toEnd();
    if (this.timeline.hasNew()) this.view.toNew();
    this.view.tellNear();
    this.seen.looked();
  }

  /**
   * @param {number} unread
   * @param {string | null} readUpTo
   * @returns {Promise<[Stretch, Stretch | null]>}
   */
  async firstPart(unread, readUpTo) {
    const { account, with: withWhom } = this;
    if (account === null || withWhom === null) return [NOTHING, null];
    if (unread > MANY_UNREAD && readUpTo !== null) {
      const behind = await stretch(account, withWhom, { from: "after", place: readUpTo }, PAGE);
      const first = behind.messages[0];
      if (first) {
        const before = await stretch(account, withWhom, { from: "before", place: first.place }, PAGE >> 1);
        return [behind, before];
      }
    }
    return [await stretch(account, withWhom, { from: "latest" }, Math.min(FIRST + unread, MOST)), null];
  }

  /** The cache has answered: what came meanwhile is newer. */
  arrived() {
    this.loaded = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const change of waiting) change();
  }

  /** Reads the same part again: what lies in gaps, or everything after a snapshot, may have changed. */
  async reread() {
    const { account, with: withWhom, timeline, turn } = this;
    if (account === null || withWhom === null) return;
    const reading = timeline.messages.find((message) => message.id === this.view.reading());
    if (this.view.stuck || !reading || reading.id < 0 || timeline.messages.length === 0) {
      const newest = await stretch(account, withWhom, { from: "latest" }, PAGE);
      if (turn !== this.turn) return;
      timeline.reset(newest, null, this.app.outgoing.of(account, withWhom));
    } else {
      const [before, behind] = await Promise.all([
        stretch(account, withWhom, { from: "before", place: reading.place }, PAGE),
        stretch(account, withWhom, { from: "after", place: reading.place }, PAGE),
      ]);
      if (turn !== this.turn) return;
      timeline.reset({ ...behind, messages: [reading, ...behind.messages] }, before, this.app.outgoing.of(account, withWhom));
    }
    this.drawNow();
  }

  /** A snapshot has come for the account in view. */
  async snapshot() {
    if (!this.loaded) return this.open(this.account, this.with);
    return this.reread().catch(reportError);
  }

  /**
   * @param {string} account
   * @param {Message} message
   */
  told(account, message) {
    const typed = this.app.outgoing.settle(message);
    if (account !== this.account || message.with !== this.with) return;
    const change = () => {
      const behind = this.timeline.change(message, typed);
      const arrived = !message.own && (behind === "behind" || (behind === "outside" && this.timeline.newer
        && message.place > (this.timeline.lastPlace() ?? "")));
      if (arrived) this.seen.arrived(message);
      this.trim();
      this.drawSoon();
    };
    if (this.loaded) change();
    else this.waiting.push(change);
  }

  /**
   * @param {string} account
   * @param {string} withWhom
   * @param {number} id
   */
  gone(account, withWhom, id) {
    if (account !== this.account || withWhom !== this.with) return;
    const change = () => {
      this.timeline.remove(id);
      this.seen.waiting.delete(id);
      this.drawSoon();
    };
    if (this.loaded) change();
    else this.waiting.push(change);
  }

  /**
   * The archive has answered.
   *
   * @param {string} account
   * @param {string} withWhom
   * @param {boolean} more
   */
  async olderCame(account, withWhom, more) {
    if (account !== this.account || withWhom !== this.with) return;
    this.asked = false;
    if (!more) this.exhausted = true;
    const added = await this.loadOlder(true);
    this.emptyAnswers = added > 0 ? 0 : this.emptyAnswers + 1;
    this.drawNow();
    if (this.emptyAnswers < EMPTY_ANSWERS) this.view.tellNear();
  }

  /**
   * What was asked before the connection was lost may be asked again.
   *
   * @param {boolean} live
   */
  connected(live) {
    if (live && !this.wasLive) {
      this.asked = false;
      this.view.tellNear();
    }
    this.wasLive = live;
  }

  /** Everything missed has been read: gaps are closed, and what was asked before may be asked again. */
  caughtUp() {
    this.asked = false;
    if (this.timeline.gaps.length > 0) this.reread().catch(reportError);
    else this.view.tellNear();
  }

  /**
   * @param {boolean} top
   * @param {boolean} bottom
   */
  near(top, bottom) {
    if (!this.loaded || this.with === null) return;
    if (bottom && this.timeline.newer) void this.loadNewer();
    if (!top) return;
    if (this.timeline.older) void this.loadOlder(false);
    else if (!this.timeline.beginning && !this.exhausted) this.askOlder();
  }

  askOlder() {
    const { account, with: withWhom, turn } = this;
    if (this.asked || this.readingOlder || account === null || withWhom === null) return;
    if (this.app.account?.connection?.state !== "live") return;
    this.asked = true;
    this.sayIfSlow(turn);
    act(account, { kind: "older", with: withWhom }).catch(() => {
      this.asked = false;
    });
  }

  /**
   * @param {boolean} anyway even if no older ones were known of
   * @returns {Promise<number>} how many came
   */
  async loadOlder(anyway) {
    const { account, with: withWhom, timeline, turn } = this;
    if (this.readingOlder || account === null || withWhom === null || !this.loaded) return 0;
    if (!timeline.older && !anyway) return 0;
    this.readingOlder = true;
    const first = timeline.firstPlace();
    let added = 0;
    try {
      const part = await stretch(account, withWhom, first === null || first.startsWith("~")
        ? { from: "latest" } : { from: "before", place: first }, PAGE);
      if (turn !== this.turn) return 0;
      if (timeline.firstPlace() === first) added = timeline.addOlder(part);
      if (this.exhausted && !timeline.older) timeline.beginning = true;
    } catch (error) {
      this.app.complain(account, error);
    } finally {
      if (turn === this.turn) this.readingOlder = false;
    }
    this.trim();
    this.drawNow();
    if (added > 0) this.view.tellNear();
    return added;
  }

  async loadNewer() {
    const { account, with: withWhom, timeline, turn } = this;
    const last = timeline.lastPlace();
    if (this.readingNewer || account === null || withWhom === null || last === null) return;
    this.readingNewer = true;
    try {
      const part = await stretch(account, withWhom, { from: "after", place: last }, PAGE);
      if (turn !== this.turn) return;
      // Reaching the newest page is not reaching its end: the reader goes on from where they are.
      this.view.stuck = false;
      if (timeline.lastPlace() === last) timeline.addNewer(part, this.app.outgoing.of(account, withWhom));
    } catch (error) {
      this.app.complain(account, error);
    } finally {
      if (turn === this.turn) this.readingNewer = false;
    }
    this.trim();
    this.drawNow();
    this.view.tellNear();
    this.seen.looked();
  }

  trim() {
    if (this.timeline.messages.length <= MOST) return;
    const id = this.view.reading();
    const at = this.timeline.messages.findIndex((message) => message.id === id);
    this.timeline.trim(this.view.stuck || at < 0 ? this.timeline.messages.length - 1 : at);
  }

  /** @param {number} turn */
  sayIfSlow(turn) {
    setTimeout(() => {
      if (turn !== this.turn || (this.loaded && !this.asked)) return;
      this.slow = true;
      this.drawNow();
    }, QUIET);
  }

  /** Whether the newest message is at the end of what is on screen, and in view. */
  atEnd() {
    return this.view.stuck && !this.timeline.newer;
  }

  /** Brings the newest message into view. */
  async toLatest() {
    if (this.timeline.newer) {
      this.view.stuck = true;
      await this.reread().catch(reportError);
    }
    this.view.toEnd();
    this.seen.waiting.clear();
    this.seen.looked();
  }

  /**
   * Shows a message that was just typed, in this very frame.
   *
   * @param {Message} message
   */
  write(message) {
    this.timeline.newAfter = null;
    this.seen.waiting.clear();
    if (this.loaded) this.timeline.write(message);
    this.view.stuck = true;
    this.trim();
    this.drawNow();
    // From far up: what lies between is read behind this frame.
    if (this.timeline.newer) void this.toLatest();
  }

  /** @param {Message} message that was typed here and never reached the shell */
  forget(message) {
    this.timeline.remove(message.id);
    this.drawNow();
  }

  drawSoon() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.drawNow();
      this.view.tellNear();
      this.seen.looked();
    });
  }

  drawNow() {
    const account = this.app.account;
    if (this.with === null || !account) return;
    this.view.steadily(() => {
      const offline = account.connection !== null && account.connection.state !== "live";
      const top = this.timeline.messages.length > 0 && !this.timeline.older && !this.timeline.beginning && !this.exhausted;
      if (this.loaded && !this.asked) this.slow = false;
      const line = this.slow ? (this.loaded ? "ui-loading-older" : "ui-loading") : top && offline ? "ui-older-offline" : null;
      this.older.hidden = line === null;
      if (line !== null) setText(this.older, this.app.say(line));
    });
    this.view.draw(this.loaded ? this.timeline.rows() : [], account.person(this.with));
    this.empty.hidden = !this.loaded || this.timeline.messages.length > 0 || this.asked;
    if (!this.empty.hidden) setText(this.empty, this.app.say("ui-no-messages-yet"));
    this.seen.showJump();
  }
}

/** @type {Stretch} */
const NOTHING = { messages: [], older: false, newer: false, beginning: false, gap: null };
