// @ts-check
/**
 * A person as a picture: the initials on their colour, until there are pictures.
 *
 * @typedef {import("../protocol.js").Person} Person
 */
import { colour, ON_DARK, ON_LIGHT } from "../colour.js";
import { setText } from "./element.js";

/**
 * Gives an element and what is in it the person's colour.
 *
 * @param {HTMLElement} element
 * @param {number} hue degrees
 */
export function tint(element, hue) {
  const value = String(hue);
  if (element.dataset["hue"] === value) return;
  element.dataset["hue"] = value;
  element.style.setProperty("--person-on-light", colour(hue, ON_LIGHT));
  element.style.setProperty("--person-on-dark", colour(hue, ON_DARK));
}

/**
 * @param {HTMLElement} element
 * @param {Person} person
 */
export function drawAvatar(element, person) {
  tint(element, person.hue);
  setText(element, person.initials);
}
