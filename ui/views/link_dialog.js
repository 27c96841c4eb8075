// @ts-check
/**
 * A link from outside asks for something: what, and whether the user wants it. Until then nothing is done.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").LinkRequest} LinkRequest
 */
import { dialog, openAdd } from "./dialogs.js";
import { find } from "./element.js";

/**
 * @param {App} app
 * @param {(address: string, text: string | null) => void} write
 */
export function mountLinkDialog(app, write) {
  const box = dialog("#link-dialog");
  const yes = find("#link-yes");
  /** @type {LinkRequest | null} */
  let asked = null;

  find("#link-form").addEventListener("submit", (event) => {
    event.preventDefault();
    box.close();
    if (asked?.intent === "write") write(asked.address, asked.text);
    else if (asked?.intent === "add") openAdd(asked.address, asked.text ?? "");
  });
  return {
    /** @param {LinkRequest} request */
    ask(request) {
      asked = request;
      find("#link-sentence").textContent = request.sentence;
      const text = find("#link-text");
      text.textContent = request.text ?? "";
      text.hidden = request.text === null;
      const known = app.account !== null || request.intent === "nothing";
      find("#link-sign-in").hidden = known;
      yes.hidden = request.intent === "nothing" || !known;
      if (request.intent !== "nothing") yes.textContent = app.say(`ui-link-${request.intent}`);
      find("#link-no").textContent = app.say(yes.hidden ? "ui-close" : "ui-cancel");
      if (!box.open) box.showModal();
      // What strangers want is not one careless Enter away.
      find("#link-no").focus();
    },
  };
}
