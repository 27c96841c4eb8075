// @ts-check
/**
 * Dialogs: adding and renaming somebody, and being asked before something that can't be taken back. Esc closes them,
 * and the focus goes back where it was (`<dialog>` sees to both).
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Person} Person
 */
import { act } from "../shell.js";
import { find } from "./element.js";
import { clearError, showError } from "./field_error.js";

/**
 * @param {string} selector
 * @returns {HTMLDialogElement}
 */
export function dialog(selector) {
  return /** @type {HTMLDialogElement} */ (find(selector));
}

/** @param {string} selector */
function input(selector) {
  return /** @type {HTMLInputElement} */ (find(selector));
}

/** @type {() => void} */
let confirmed = () => {};
/** @type {Person | null} */
let renamed = null;

/**
 * Asks before something is done.
 *
 * @param {App} app
 * @param {{ title: string, text: string, yes: string }} words
 * @param {() => void} run
 */
export function confirm(app, words, run) {
  find("#confirm-title").textContent = words.title;
  find("#confirm-text").textContent = words.text;
  find("#confirm-yes").textContent = words.yes;
  confirmed = run;
  dialog("#confirm-dialog").showModal();
  // What can't be taken back is not one careless Enter away.
  find("#confirm-no").focus();
}

/**
 * @param {App} app
 * @param {Person} person
 */
export function openRename(app, person) {
  renamed = person;
  const field = input("#rename-name");
  field.value = person.name === person.address ? "" : person.name;
  clearError(field);
  dialog("#rename-dialog").showModal();
  field.select();
}

/**
 * @param {string} [address]
 * @param {string} [name]
 */
export function openAdd(address = "", name = "") {
  const field = input("#add-address");
  field.value = address;
  input("#add-name").value = name;
  clearError(field);
  dialog("#add-dialog").showModal();
  (address === "" ? field : input("#add-name")).focus();
}

/**
 * @param {App} app
 * @param {(address: string) => void} added
 */
export function mountDialogs(app, added) {
  for (const each of document.querySelectorAll("dialog")) {
    for (const cancel of each.querySelectorAll("button.cancel")) cancel.addEventListener("click", () => each.close());
    // A press beside the dialog closes it; one that began inside (selecting text) does not.
    each.addEventListener("pointerdown", (event) => {
      if (event.target !== each) return;
      const box = each.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) each.close();
    });
  }

  find("#confirm-form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog("#confirm-dialog").close();
    confirmed();
  });

  find("#add-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = input("#add-address");
    const address = field.value.trim().replace(/^xmpp:/iu, "");
    clearError(field);
    const account = app.address;
    if (account === null) return;
    if (address === "") {
      showError(field, app.say("ui-error-address-empty"));
      return;
    }
    const name = input("#add-name").value.trim();
    try {
      await act(account, { kind: "add", address, name: name === "" ? null : name });
      dialog("#add-dialog").close();
      added(address);
    } catch (error) {
      showError(field, String(error));
    }
  });
  input("#add-address").addEventListener("input", () => clearError(input("#add-address")));

  find("#rename-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const account = app.address;
    if (account === null || !renamed) return;
    const field = input("#rename-name");
    const name = field.value.trim();
    try {
      await act(account, { kind: "add", address: renamed.address, name: name === "" ? null : name });
      dialog("#rename-dialog").close();
    } catch (error) {
      showError(field, String(error));
    }
  });
}
