// @ts-check
/**
 * Whether somebody is there: a shape, a colour and words.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Contact} Contact
 */
import { make, setAttribute, setText } from "./element.js";

/**
 * @param {App} app
 * @param {Contact | null} contact
 * @returns {string} nothing where nothing is known
 */
export function presenceWords(app, contact) {
  if (!contact) return "";
  if (contact.asked && !contact.weSeeThem) return app.say("ui-presence-asked");
  if (!contact.weSeeThem) return "";
  // While we are not connected nobody's presence is known.
  if (app.account?.connection?.state !== "live" && app.account?.connection?.state !== "suspect") return "";
  return app.say(`ui-presence-${contact.availability}`);
}

/**
 * @param {App} app
 * @param {HTMLElement} element
 * @param {Contact | null} contact
 * @param {boolean} wordsShown or only for screen readers
 */
export function drawPresence(app, element, contact, wordsShown) {
  const words = presenceWords(app, contact);
  element.classList.add("presence");
  setAttribute(element, "data-availability", words === "" ? "unknown" : (contact?.availability ?? "unknown"));
  element.hidden = words === "";
  let shape = element.querySelector(".shape");
  let text = element.querySelector(".presence-words");
  if (!shape || !text) {
    shape = make("span", { class: "shape", "aria-hidden": "true" });
    text = make("span", { class: wordsShown ? "presence-words" : "presence-words visually-hidden" });
    element.replaceChildren(shape, text);
  }
  setText(text, words);
  if (!wordsShown) element.title = words;
}
