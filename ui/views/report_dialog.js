// @ts-check
/**
 * A report for whoever mends Dormouse: made when it is opened, to be read before it is copied.
 *
 * @typedef {import("../app.js").App} App
 */
import { bugReport } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find, setText } from "./element.js";
import { copy } from "./message_commands.js";

/** @param {App} app */
export function mountReportDialog(app) {
  const box = dialog("#report-dialog");
  const text = find("#report-text");
  const problem = find("#report-error");

  find("#report-open").addEventListener("click", async () => {
    const account = app.address;
    if (account === null) return;
    setText(text, "");
    setText(find("#report-copied"), "");
    problem.hidden = true;
    box.showModal();
    find("#report-copy").focus();
    try {
      setText(text, await bugReport(account));
    } catch (error) {
      setText(problem, String(error));
      problem.hidden = false;
    }
  });
  find("#report-copy").addEventListener("click", async () => {
    // Only within the press itself may the clipboard be written: the report is here already.
    await copy(text.textContent ?? "");
    setText(find("#report-copied"), app.say("ui-report-copied"));
  });
}
