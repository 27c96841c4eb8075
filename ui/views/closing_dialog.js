// @ts-check
/**
 * The window is being closed where there is no tray from which it could be opened again: asked once, what is chosen is kept.
 *
 * @typedef {import("../protocol.js").WhenClosed} WhenClosed
 */
import { closing } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find } from "./element.js";

export function mountClosingDialog() {
  const box = dialog("#closing-dialog");
  const problem = find("#closing-error");

  /** @param {WhenClosed} means */
  async function choose(means) {
    try {
      await closing(means);
      box.close();
    } catch (error) {
      problem.textContent = String(error);
      problem.hidden = false;
    }
  }

  find("#closing-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void choose("minimise");
  });
  // However it was closed, the next time the window is closed is another time.
  box.addEventListener("close", () => void closing(null).catch(() => {}));
  find("#closing-quit").addEventListener("click", () => void choose("quit"));
  return {
    ask() {
      problem.hidden = true;
      if (!box.open) box.showModal();
      find("#closing-minimise").focus();
    },
  };
}
