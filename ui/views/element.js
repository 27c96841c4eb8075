// @ts-check
/**
 * Making elements: text goes in as text nodes only, so nothing that anybody wrote can become markup.
 */

/** @typedef {string | Node | null | false | undefined} Child */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | number>} [attributes] `true` sets an empty one, `false` none
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A symbol of the page's sprite. It is for the eye; what it means stands beside it as text.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * An element of the page.
 *
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return /** @type {HTMLElement} */ (element);
}

/**
 * The first of some elements in a place that may have none.
 *
 * @param {string} selector
 * @param {ParentNode} within
 * @returns {HTMLElement | null}
 */
export function first(selector, within) {
  return within.querySelector(selector);
}

/**
 * Gives the focus to the first of some elements that can have it, so that it is never lost.
 *
 * @param {...string} selectors
 */
export function focusOn(...selectors) {
  for (const selector of selectors) {
    const element = find(selector);
    element.focus();
    if (document.activeElement === element) return;
  }
}

/**
 * Sets a text only where it differs, so that a screen reader is not told the same twice.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value null takes it away
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Brings the children of an element to what is wanted, moving as few as possible: what stays keeps focus, selection
 * and scroll position.
 *
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  /** @type {Element | null} */
  let at = parent.firstElementChild;
  for (const element of wanted) {
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
}
