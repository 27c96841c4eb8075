// @ts-check
/**
 * The timeline on screen. A bounded number of elements; what is being read stays where it is: before each change the
 * position of a message in view is measured, after it the scroll position is corrected by what the message moved. (WebKitGTK
 * anchors nothing by itself, so scroll anchoring is off everywhere and done here.)
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 * @typedef {import("../timeline.js").Row} Row
 *
 * @typedef {{ element: HTMLElement, top: number, scrolled: number }} Anchor a message in view, where it is in the
 *   window, and how far the timeline was scrolled then
 */
import { arrange, find, icon, make, setText } from "./element.js";
import { MessageView } from "./message_view.js";

/** Nearer than this to an end, in CSS pixels, the next page is read. */
const NEAR = 900;
/** Nearer than this to the end is at the end. */
const AT_END = 24;

/** The scroller and its rows. */
export class TimelineView {
  /**
   * @param {App} app
   * @param {import("./message_view.js").Wishes} wishes
   * @param {{ near: (top: boolean, bottom: boolean) => void, scrolled: () => void }} told
   */
  constructor(app, wishes, told) {
    this.app = app;
    this.wishes = wishes;
    this.told = told;
    this.scroller = find("#timeline");
    this.rows = find("#rows");
    /** The end is in view and stays in view. */
    this.stuck = true;
    /** @type {Map<string, MessageView>} */
    this.messages = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.separators = new Map();
    /**
     * Where the message being read was when all had settled last.
     *
     * @type {Anchor | null}
     */
    this.anchor = null;
    this.frame = 0;

    this.scroller.addEventListener("scroll", () => {
      this.stuck = this.fromEnd() <= AT_END;
      if (this.frame !== 0) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.anchor = this.measure();
        this.tellNear();
        this.told.scrolled();
      });
    }, { passive: true });
    // Another size of the window or the composer moves nothing either.
    new ResizeObserver(() => {
      this.settle(this.held());
    }).observe(this.scroller);
    this.scroller.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** How far the end is below what is in view, in CSS pixels. */
  fromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  tellNear() {
    if (this.scroller.hidden) return;
    this.told.near(this.scroller.scrollTop < NEAR, this.fromEnd() < NEAR);
  }

  /**
   * The first message whose beginning is in view, else the one that fills the view.
   *
   * @returns {Anchor | null}
   */
  measure() {
    const view = this.scroller.getBoundingClientRect();
    const scrolled = this.scroller.scrollTop;
    /** @type {Anchor | null} */
    let filling = null;
    for (const element of this.rows.children) {
      if (!(element instanceof HTMLElement) || !element.classList.contains("message")) continue;
      const { top, bottom } = element.getBoundingClientRect();
      if (bottom <= view.top) continue;
      if (top >= view.bottom) break;
      if (top >= view.top) return { element, top, scrolled };
      filling = { element, top, scrolled };
    }
    return filling;
  }

  /**
   * What is being read, and where it belongs. The position of last time counts as long as nobody has scrolled: what moved the
   * text since (a banner, another width) has to be made good.
   */
  held() {
    const { anchor } = this;
    const holds = anchor?.element.isConnected === true && anchor.scrolled === this.scroller.scrollTop;
    return holds ? anchor : this.measure();
  }

  /** @param {Anchor | null} anchor */
  settle(anchor) {
    if (this.stuck) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    } else if (anchor?.element.isConnected) {
      const moved = anchor.element.getBoundingClientRect().top - anchor.top;
      if (Math.abs(moved) >= 0.5) this.scroller.scrollTop += moved;
    }
    this.anchor = this.measure();
  }

  /**
   * Changes heights without moving what is being read.
   *
   * @param {() => void} change
   */
  steadily(change) {
    const anchor = this.stuck ? null : this.held();
    change();
    this.settle(anchor);
  }

  /** Forgets what it shows: another conversation comes. */
  clear() {
    this.messages.clear();
    this.separators.clear();
    this.rows.replaceChildren();
    this.anchor = null;
    this.stuck = true;
  }

  /**
   * @param {Row[]} rows
   * @param {import("../protocol.js").Person} person
   */
  draw(rows, person) {
    const focused = this.rows.contains(document.activeElement)
      ? document.activeElement?.closest("li")
      : null;
    const anchor = this.stuck ? null : this.held();
    const now = Date.now();
    const keys = new Set(rows.map((row) => row.key));
    for (const key of this.messages.keys()) if (!keys.has(key)) this.messages.delete(key);
    for (const key of this.separators.keys()) if (!keys.has(key)) this.separators.delete(key);
    arrange(this.rows, rows.map((row) => this.element(row, person, now)));
    this.settle(anchor);
    if (focused && document.activeElement === document.body) {
      (focused.isConnected ? focused : this.scroller).focus({ preventScroll: true });
    }
  }

  /**
   * @param {Row} row
   * @param {import("../protocol.js").Person} person
   * @param {number} now
   * @returns {HTMLElement}
   */
  element(row, person, now) {
    if (row.kind === "message") {
      let view = this.messages.get(row.key);
      if (!view) {
        view = new MessageView(this.app, this.wishes, row.message);
        this.messages.set(row.key, view);
      }
      view.draw(row.message, row.first, row.last, person);
      return view.element;
    }
    let element = this.separators.get(row.key);
    if (!element) {
      element = make("li", { class: SEPARATORS[row.kind] }, row.kind === "gap" && icon("clock"), make("span", {}));
      this.separators.set(row.key, element);
    }
    setText(find("span", element), row.kind === "day" ? this.app.words.day(row.at, now) : this.app.say(`ui-row-${row.kind}`));
    return element;
  }

  /** Brings the end into view. */
  toEnd() {
    this.stuck = true;
    this.settle(null);
  }

  /** Brings the "new" line to the top third, unless everything behind it fits anyway. */
  toNew() {
    const line = this.separators.get("new");
    if (!line) return;
    const above = line.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    if (above >= 0) return;
    this.scroller.scrollTop += above - 16;
    this.stuck = this.fromEnd() <= AT_END;
    this.anchor = this.measure();
  }

  /** The place among the run's messages of what is being read, from the top. */
  reading() {
    const element = this.stuck ? this.rows.lastElementChild : (this.measure()?.element ?? null);
    return element instanceof HTMLElement ? Number(element.dataset["id"] ?? NaN) : NaN;
  }

  /**
   * Arrow keys go from message to message.
   *
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const here = target?.closest("li.message") ?? null;
    if ((event.key === "Enter" || event.key === "ContextMenu") && here && target === here) {
      event.preventDefault();
      here.querySelector("button.more:not([hidden])")?.dispatchEvent(new MouseEvent("click"));
      return;
    }
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    if (target !== here && target !== this.scroller) return;
    const all = [...this.rows.querySelectorAll("li.message")];
    const at = here ? all.indexOf(here) : this.stuck ? all.length : all.indexOf(this.measure()?.element ?? this.rows);
    const next = all[event.key === "ArrowUp" ? Math.max(0, at - 1) : Math.min(all.length - 1, at + 1)];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}

const SEPARATORS = /** @type {const} */ ({ beginning: "beginning", day: "day", gap: "gap", new: "new-line" });
