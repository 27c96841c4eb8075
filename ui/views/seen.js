// @ts-check
/**
 * What the user has seen: when everything counts as read, where the "new" line stands, and how many messages wait
 * below what is in view.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 * @typedef {import("./conversation_reader.js").Reader} Reader
 */
import { oneLine } from "../text.js";
import { find, focusOn, setText } from "./element.js";

/** Further from the end than this, in CSS pixels, the way back to it is offered. */
const FAR = 160;

/** Of the conversation in view. */
export class Seen {
  /**
   * @param {App} app
   * @param {Reader} reader
   */
  constructor(app, reader) {
    this.app = app;
    this.reader = reader;
    /**
     * Theirs that arrived out of view.
     *
     * @type {Set<number>}
     */
    this.waiting = new Set();
    /**
     * At which state of things "read" was said last.
     *
     * @type {string | null}
     */
    this.saidRead = null;
    this.jump = find("#jump");
    this.jump.addEventListener("click", () => {
      void reader.toLatest().then(() => focusOn("#composer-text", "#timeline"));
    });
  }

  /** Another conversation comes into view. */
  begin() {
    this.waiting.clear();
    this.saidRead = null;
    this.showJump();
  }

  get unread() {
    const { with: withWhom } = this.reader;
    return withWhom === null ? 0 : (this.app.account?.conversations.get(withWhom)?.unread ?? 0);
  }

  /** Whether the newest message is before the user's eyes. */
  watching() {
    return (
      this.reader.loaded &&
      this.app.conversationInView &&
      this.reader.atEnd() &&
      document.visibilityState === "visible" &&
      document.hasFocus()
    );
  }

  /** @param {Message} message of theirs, the newest, which just arrived */
  arrived(message) {
    if (this.watching()) {
      const { content } = message;
      if (content.kind === "text") {
        this.app.announce(`${this.app.account?.person(message.with).name ?? message.with}: ${oneLine(content.body)}`);
      }
      return;
    }
    const { timeline } = this.reader;
    if (!this.reader.atEnd()) this.waiting.add(message.id);
    if (timeline.newAfter === null) {
      const at = timeline.messages.findIndex((each) => each.id === message.id);
      timeline.newAfter = timeline.messages[at - 1]?.place ?? timeline.lastPlace() ?? "";
    }
  }

  /** The user looks, scrolled, came back: what is in view counts as read. */
  looked() {
    if (this.reader.atEnd()) this.waiting.clear();
    this.showJump();
    const { with: withWhom, timeline } = this.reader;
    if (withWhom === null || !this.watching()) return;
    const { unread } = this;
    const place = timeline.lastPlace();
    const said = `${place} ${unread}`;
    if (unread === 0 || place === null || said === this.saidRead) return;
    this.saidRead = said;
    void this.app.act({ kind: "read", with: withWhom });
  }

  /** The user looks away: what was new and is read is no longer marked when they come back. */
  left() {
    const { timeline } = this.reader;
    if (this.unread > 0 || timeline.newAfter === null || !this.reader.atEnd()) return;
    timeline.newAfter = null;
    this.reader.drawSoon();
  }

  showJump() {
    const { reader } = this;
    const away = reader.with !== null && reader.loaded && (reader.timeline.newer || reader.view.fromEnd() > FAR);
    const count = this.waiting.size;
    const text = count > 0 ? this.app.say("ui-new-messages", { n: count }) : this.app.say("ui-to-latest");
    setText(find(".count", this.jump), text);
    this.jump.classList.toggle("counted", count > 0);
    if (!away && document.activeElement === this.jump) focusOn("#composer-text", "#timeline");
    this.jump.hidden = !away;
  }
}
