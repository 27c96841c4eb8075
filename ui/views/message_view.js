// @ts-check
/**
 * One message: its text, who and when, and how far an own one has come. An element stays the same while its message
 * changes; only what differs is drawn again, so selection, focus and an opened long text stay.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 * @typedef {import("../protocol.js").Person} Person
 * @typedef {import("../protocol.js").Delivery} Delivery
 *
 * @typedef {object} Wishes
 * @property {(message: Message) => void} retry
 * @property {(message: Message) => void} discard
 * @property {(message: Message, opener: HTMLElement) => void} menu
 * @property {(change: () => void) => void} steadily
 */
import { drawAvatar, tint } from "./avatar.js";
import { icon, make, setAttribute, setText } from "./element.js";
import { messageText, SHOWN_AT_FIRST } from "./message_text.js";

const DELIVERY_ICONS = /** @type {const} */ ({
  queued: "clock",
  sent: "check",
  delivered: "check-check",
  read: "circle-check",
  failed: "circle-alert",
});

/** A message's element and what it shows. */
export class MessageView {
  /**
   * @param {App} app
   * @param {Wishes} wishes
   * @param {Message} message
   */
  constructor(app, wishes, message) {
    this.app = app;
    this.wishes = wishes;
    this.message = message;
    /** @type {string | null} */
    this.shownContent = null;
    /** @type {string | null} */
    this.shownDelivery = null;
    /** @type {Message | null} */
    this.shown = null;
    this.shownEnds = "";

    this.who = make("bdi", { class: "who" });
    this.avatar = make("span", { class: "avatar small", "aria-hidden": "true" });
    this.headTime = make("time", {});
    this.head = make("div", { class: "byline" }, this.avatar, this.who, this.headTime);
    this.text = make("div", { class: "text" });
    this.bubble = make("div", { class: "bubble" }, this.text);
    this.state = make("span", { class: "delivery" });
    this.time = make("time", { class: "hover-time", "aria-hidden": "true" });
    this.more = make("button", {
      type: "button",
      class: "more icon-button",
      tabindex: "-1",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": app.say("ui-message-menu"),
    }, icon("ellipsis-vertical"));
    this.trouble = make("div", { class: "trouble" });
    this.element = make(
      "li",
      { class: "message", tabindex: "-1" },
      this.head,
      make("div", { class: "line" }, this.bubble, this.state, this.time, this.more),
    );
    this.more.addEventListener("click", () => this.wishes.menu(this.message, this.more));
    this.element.addEventListener("focusin", () => {
      this.more.tabIndex = 0;
    });
    this.element.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget))) this.more.tabIndex = -1;
    });
  }

  /**
   * @param {Message} message
   * @param {boolean} first of its group
   * @param {boolean} last of its group
   * @param {Person} person who writes, where it is not us
   */
  draw(message, first, last, person) {
    const ends = `${first} ${last} ${person.name} ${person.hue} ${person.initials}`;
    if (this.shown === message && this.shownEnds === ends) return;
    this.shown = message;
    this.shownEnds = ends;
    this.message = message;
    const { element, app } = this;
    element.className = `message${message.own ? " own" : ""}${first ? " first" : ""}${last ? " last" : ""}`;
    element.dataset["id"] = String(message.id);
    element.dataset["own"] = String(message.own);
    element.dataset["state"] = message.delivery?.state ?? "";
    setText(this.who, message.own ? app.say("ui-you") : person.name);
    if (!message.own) {
      drawAvatar(this.avatar, person);
      tint(this.head, person.hue);
    }
    const at = new Date(message.at).toISOString();
    for (const time of [this.headTime, this.time]) {
      setAttribute(time, "datetime", at);
      setAttribute(time, "title", app.words.wholeTime(message.at));
      setText(time, app.words.time(message.at));
    }
    this.drawContent(message);
    this.drawDelivery(message.delivery);
    this.more.hidden = message.content.kind !== "text" || message.id < 0;
  }

  /** @param {Message} message */
  drawContent(message) {
    const { content } = message;
    const text = content.kind === "text" ? content.body : content.kind === "unshowable" ? content.sentence : "";
    const shown = `${content.kind} ${message.edited} ${text}`;
    if (this.shownContent === shown) return;
    this.shownContent = shown;
    this.bubble.classList.toggle("long", content.kind === "text" && text.length > SHOWN_AT_FIRST);
    if (content.kind === "text") {
      this.text.replaceChildren(messageText(this.app, text, this.wishes.steadily));
      if (message.edited) this.text.append(make("span", { class: "edited" }, this.app.say("ui-edited")));
    } else {
      const sentence = content.kind === "retracted" ? this.app.say("ui-retracted") : text;
      this.text.replaceChildren(
        make("p", { class: "placeholder", dir: "auto" }, icon(content.kind === "retracted" ? "ban" : "info"), sentence),
      );
    }
  }

  /** @param {Delivery | null} delivery */
  drawDelivery(delivery) {
    const shown = delivery === null ? "" : delivery.state === "failed" ? `failed ${delivery.why}` : delivery.state;
    if (this.shownDelivery === shown) return;
    this.shownDelivery = shown;
    if (delivery === null) {
      this.state.replaceChildren();
    } else {
      const text = this.app.say(`ui-delivery-${delivery.state}`);
      this.state.replaceChildren(icon(DELIVERY_ICONS[delivery.state]), make("span", { class: "visually-hidden" }, text));
      this.state.title = text;
    }
    if (delivery?.state === "failed") {
      const retry = make("button", { type: "button", class: "retry" }, this.app.say("ui-retry"));
      const discard = make("button", { type: "button", class: "discard quiet" }, this.app.say("ui-discard"));
      retry.addEventListener("click", () => this.wishes.retry(this.message));
      discard.addEventListener("click", () => this.wishes.discard(this.message));
      this.trouble.replaceChildren(make("p", { dir: "auto" }, delivery.why), make("div", { class: "ways" }, retry, discard));
      this.element.append(this.trouble);
    } else {
      this.trouble.remove();
    }
  }
}
