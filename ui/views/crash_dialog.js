// @ts-check
/**
 * What an earlier crash left behind, shown when the window opens: to be copied, kept for the next start, or deleted.
 *
 * @typedef {import("../app.js").App} App
 */
import { crash, forgetCrashes } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find, setText } from "./element.js";
import { copy } from "./message_commands.js";

/** @param {App} app */
export function mountCrashDialog(app) {
  const box = dialog("#crash-dialog");
  const problem = find("#crash-error");
  let at = 0;

  /** @param {unknown} error */
  function complain(error) {
    setText(problem, String(error));
    problem.hidden = false;
  }

  find("#crash-copy").addEventListener("click", () => void copy(find("#crash-text").textContent ?? ""));
  find("#crash-forget").addEventListener("click", async () => {
    try {
      await forgetCrashes(at);
      box.close();
    } catch (error) {
      complain(error);
    }
  });

  return {
    /** Asks whether there is anything to be shown, and shows it. */
    async look() {
      try {
        const report = await crash();
        if (!report) return;
        at = report.at;
        setText(find("#crash-lead"), app.say("ui-crash-lead", { time: app.words.exactly(at, Date.now()) }));
        setText(find("#crash-text"), report.text);
      } catch (error) {
        // That there may have been a crash, and its report can't be read, is worth as much.
        complain(error);
      }
      box.showModal();
      find("#crash-keep").focus();
    },
  };
}
