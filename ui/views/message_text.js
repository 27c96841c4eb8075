// @ts-check
/**
 * A message's text on screen: text nodes and links. A very long one is cut; the rest comes in steps, one a frame, so
 * that a megabyte freezes nothing.
 *
 * @typedef {import("../app.js").App} App
 */
import { cutAt, fewEmoji, tokens } from "../text.js";
import { make } from "./element.js";

/** So much of a text is shown at first, in UTF-16 units. */
export const SHOWN_AT_FIRST = 6_000;
/** So much more comes with a frame once all is wanted: little at first, more where frames are quick. */
const STEPS = { least: 1_000, first: 2_000, most: 16_000 };
/** A frame longer than this was too much, one shorter than that too little; in milliseconds. */
const FRAME = { long: 60, short: 25 };

/**
 * Text and links of one part, into an element.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function fill(element, text) {
  for (const token of tokens(text)) {
    if (token.kind === "text") {
      element.append(token.text);
    } else {
      // A link is followed by the shell only (see main.js); its own direction can't touch the text around it.
      const link = make("a", { href: token.url, title: token.url, rel: "noreferrer", dir: "ltr" });
      link.append(token.text);
      element.append(link);
    }
  }
}

/**
 * @param {App} app
 * @param {string} body
 * @param {(change: () => void) => void} steadily runs a change of height so that what is being read stays in place
 * @returns {HTMLElement}
 */
export function messageText(app, body, steadily) {
  const element = make("div", { class: fewEmoji(body) ? "body emoji" : "body", dir: "auto" });
  if (body.length <= SHOWN_AT_FIRST) {
    fill(element, body);
    return element;
  }
  let shown = cutAt(body, SHOWN_AT_FIRST);
  element.append(part(body.slice(0, shown)));
  const button = make("button", { type: "button", class: "show-all" }, app.say("ui-show-all", { n: body.length }));
  element.append(button);

  let size = STEPS.first;
  /** @type {number | null} */
  let before = null;
  /** @param {number} now */
  const step = (now) => {
    if (!element.isConnected) return;
    if (before !== null && now - before > FRAME.long) size = Math.max(STEPS.least, size >> 1);
    if (before !== null && now - before < FRAME.short) size = Math.min(STEPS.most, size << 1);
    before = now;
    const to = shown + cutAt(body.slice(shown, shown + size + 2), size);
    steadily(() => {
      button.before(part(body.slice(shown, to)));
      if (to >= body.length) {
        if (document.activeElement === button) element.closest("li")?.focus({ preventScroll: true });
        button.remove();
      }
    });
    shown = to;
    if (shown < body.length) requestAnimationFrame(step);
  };
  button.addEventListener("click", () => {
    // Stays where it is, so the focus does too, until all is there.
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    requestAnimationFrame(step);
  });
  return element;
}

/** @param {string} text a part of a long text, laid out for itself */
function part(text) {
  const element = make("div", { class: "part", dir: "auto" });
  // The break between two parts is a break already.
  fill(element, text.endsWith("\n") ? text.slice(0, -1) : text);
  return element;
}
