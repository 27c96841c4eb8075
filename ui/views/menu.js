// @ts-check
/**
 * A menu that opens at a button: arrow keys, Home and End go round, Esc and Tab close it, and the focus goes back
 * where it came from.
 *
 * @typedef {{ command: string, label: string, icon: string, danger?: boolean, run: () => void }} Item
 */
import { icon, make } from "./element.js";

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * Closes the menu that is open.
 *
 * @returns {boolean} whether there was one
 */
export function closeMenu() {
  if (!closeOpen) return false;
  closeOpen();
  return true;
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener gets the focus back
 * @param {Item[]} items
 */
export function openMenu(menu, opener, items) {
  closeMenu();
  if (items.length === 0) return;
  const buttons = items.map((item) => {
    const button = make("button", {
      type: "button",
      role: "menuitem",
      tabindex: "-1",
      "data-command": item.command,
      class: item.danger === true ? "danger-item" : "",
    }, icon(item.icon), make("span", {}, item.label));
    button.addEventListener("click", () => {
      close(true);
      item.run();
    });
    return button;
  });

  /** @param {boolean} back */
  function close(back) {
    menu.hidden = true;
    menu.replaceChildren();
    opener.setAttribute("aria-expanded", "false");
    menu.removeEventListener("keydown", onKey);
    document.removeEventListener("pointerdown", onPointer, true);
    removeEventListener("resize", leave);
    closeOpen = null;
    if (back) opener.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 };
    const next = to[event.key];
    if (next !== undefined) {
      event.preventDefault();
      buttons.at(next % buttons.length)?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close(true);
    }
  }

  /** @param {PointerEvent} event */
  function onPointer(event) {
    if (event.target instanceof Node && !menu.contains(event.target) && !opener.contains(event.target)) close(false);
  }

  function leave() {
    close(false);
  }

  menu.replaceChildren(...buttons);
  menu.hidden = false;
  placeAt(menu, opener);
  opener.setAttribute("aria-expanded", "true");
  menu.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", onPointer, true);
  addEventListener("resize", leave);
  closeOpen = () => close(true);
  buttons[0]?.focus({ preventScroll: true });
}

/**
 * Under the opener if there is room, else above it, and within the page.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} opener
 */
function placeAt(menu, opener) {
  const at = opener.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8));
  const below = at.bottom + 4;
  const top = below + size.height <= innerHeight - 8 ? below : at.top - size.height - 4;
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.max(8, top)}px`;
}
