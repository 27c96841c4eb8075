// @ts-check
/**
 * Writing. Enter sends, Shift+Enter makes a line; what an input method is composing is never sent. What was typed
 * stands in the timeline in the next frame, online or not; what was not sent is kept as a draft.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 */
import { act } from "../shell.js";
import { find } from "./element.js";

/** Without a key for so long nobody types any more, in milliseconds. */
const STOPPED_TYPING = 5000;
/** So many lines are in view at most. */
const MOST_LINES = 8;

/** The line one writes in. */
export class Composer {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /**
     * Shows a message just typed.
     *
     * @type {(message: Message) => void}
     */
    this.onWrite = () => {};
    /**
     * One that the shell did not take.
     *
     * @type {(message: Message) => void}
     */
    this.onFailed = () => {};
    /**
     * The last own message.
     *
     * @type {() => Message | null}
     */
    this.lastOwn = () => null;
    /** @type {Message | null} */
    this.editing = null;
    /**
     * The conversation whose text stands in the field.
     *
     * @type {{ account: string, with: string } | null}
     */
    this.place = null;
    this.saysTyping = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.silence = undefined;
    this.composing = false;

    this.form = find("#composer");
    this.field = /** @type {HTMLTextAreaElement} */ (find("#composer-text"));
    this.sendButton = /** @type {HTMLButtonElement} */ (find("#send"));
    this.editBar = find("#editing");
    this.blocked = find("#composer-blocked");

    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener("compositionstart", () => {
      this.composing = true;
    });
    this.field.addEventListener("compositionend", () => {
      this.composing = false;
    });
    this.field.addEventListener("keydown", (event) => this.onKey(event));
    this.field.addEventListener("input", () => this.onInput());
    find("#cancel-edit").addEventListener("click", () => this.endEdit());
    find("#composer-unblock").addEventListener("click", () => {
      if (app.with !== null) void app.act({ kind: "unblock", address: app.with });
    });
    app.on(["view", "people", "accounts"], () => this.draw());
  }

  /** Another conversation has come into view: its draft comes into the field. */
  load() {
    this.stopTyping();
    this.editing = null;
    const account = this.app.address;
    const withWhom = this.app.with;
    this.place = account === null || withWhom === null ? null : { account, with: withWhom };
    this.setField(this.place ? this.draft(this.place) : "");
    this.draw();
  }

  /**
   * @param {{ account: string, with: string }} place
   */
  draft(place) {
    return this.app.drafts.current(place.account, place.with);
  }

  /** A snapshot has come: the draft of before a restart, unless something is being typed. */
  refresh() {
    if (this.place && this.field.value === "" && this.editing === null) this.setField(this.draft(this.place));
  }

  draw() {
    const blocked = this.app.with !== null && this.app.account?.blocked.has(this.app.with) === true;
    const hadFocus = this.form.contains(document.activeElement);
    this.form.hidden = this.app.with === null || blocked;
    this.blocked.hidden = !blocked;
    this.editBar.hidden = this.editing === null;
    if (hadFocus && this.form.hidden) find(blocked ? "#composer-unblock" : "#filter").focus();
    const empty = this.field.value.trim() === "";
    this.sendButton.setAttribute("aria-disabled", String(empty));
  }

  focus() {
    if (!this.form.hidden) this.field.focus();
    else if (!this.blocked.hidden) find("#composer-unblock").focus();
  }

  /** @param {string} text */
  setField(text) {
    this.field.value = text;
    this.grow();
    this.field.setSelectionRange(text.length, text.length);
  }

  /**
   * Puts a text there that somebody else thought of, behind what stands there; it is the user's draft from now on.
   *
   * @param {string} text
   */
  suggest(text) {
    if (!this.place || this.form.hidden) return;
    if (this.editing !== null) this.endEdit();
    this.setField(this.field.value.trim() === "" ? text : `${this.field.value}\n${text}`);
    this.app.drafts.typed(this.place.account, this.place.with, this.field.value);
    this.draw();
  }

  /** As high as the text, up to some lines. */
  grow() {
    const { field } = this;
    field.style.height = "auto";
    const style = getComputedStyle(field);
    const line = parseFloat(style.lineHeight) || 22;
    const around = field.offsetHeight - field.clientHeight + parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    const height = Math.min(field.scrollHeight + field.offsetHeight - field.clientHeight, line * MOST_LINES + around);
    field.style.height = `${Math.ceil(height)}px`;
  }

  onInput() {
    this.grow();
    this.draw();
    if (!this.place) return;
    if (this.editing === null) this.app.drafts.typed(this.place.account, this.place.with, this.field.value);
    if (this.field.value.trim() === "") this.stopTyping();
    else this.typing();
  }

  typing() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.stopTyping(), STOPPED_TYPING);
    if (this.saysTyping || this.editing !== null) return;
    this.saysTyping = true;
    this.tellTyping(true);
  }

  stopTyping() {
    clearTimeout(this.silence);
    if (!this.saysTyping) return;
    this.saysTyping = false;
    this.tellTyping(false);
  }

  /** @param {boolean} typing */
  tellTyping(typing) {
    if (!this.place) return;
    // Nothing depends on it: that it could not be told is not worth a word.
    act(this.place.account, { kind: "typing", to: this.place.with, typing }).catch(() => {});
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    // 229: an input method has the key (WebKit ends composing before this event).
    if (this.composing || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.editing !== null) {
      event.preventDefault();
      event.stopPropagation();
      this.endEdit();
    } else if (event.key === "ArrowUp" && this.field.value === "" && this.editing === null) {
      const last = this.lastOwn();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  submit() {
    const body = this.field.value.replace(/^[^\S\n]*\n+|\s+$/gu, "");
    if (body === "" || !this.place) return;
    if (this.editing !== null) {
      const { id, content } = this.editing;
      if (content.kind !== "text" || content.body !== body) void this.app.act({ kind: "edit", id, body });
      this.endEdit();
      return;
    }
    // The message itself says that typing is over.
    clearTimeout(this.silence);
    this.saysTyping = false;
    this.setField("");
    this.app.drafts.sent(this.place.account, this.place.with);
    this.send(body);
    this.draw();
    this.field.focus();
  }

  /** @param {string} body */
  send(body) {
    if (!this.place) return;
    const { account, with: to } = this.place;
    const tag = freshTag();
    this.onWrite(this.app.outgoing.write(account, to, body, Date.now(), tag));
    act(account, { kind: "send", to, body, tag }).catch((error) => {
      const failed = this.app.outgoing.fail(tag, String(error));
      if (failed) this.onFailed(failed);
    });
  }

  /** @param {Message} message */
  edit(message) {
    if (message.content.kind !== "text") return;
    if (this.editing === null) this.app.drafts.flush();
    this.editing = message;
    this.setField(message.content.body);
    this.draw();
    this.field.focus();
  }

  endEdit() {
    this.editing = null;
    this.setField(this.place ? this.draft(this.place) : "");
    this.draw();
    this.field.focus();
  }
}

/** A name for a message that no other has. */
function freshTag() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return [...numbers].map((each) => each.toString(16).padStart(8, "0")).join("");
}
