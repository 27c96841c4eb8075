// @ts-check
/**
 * "Test the connection", in the connection's panel: what to try, the steps as they are taken, and the report to copy.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").CheckMark} CheckMark
 * @typedef {import("../protocol.js").CheckStep} CheckStep
 * @typedef {import("../protocol.js").CheckWish} CheckWish
 */
import { checkConnection, checkReport } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find, icon, make, setText } from "./element.js";
import { copy } from "./message_commands.js";

/** Lengths of silence and of sleep to choose from, in seconds; 0: none. */
const SILENCES = [0, 30, 60, 120, 300];
const SLEEPS = [0, 10, 30, 60, 120];

/** @type {Record<CheckMark, string>} */
const ICONS = {
  "to-come": "clock",
  "under-way": "refresh-cw",
  fine: "circle-check",
  lacking: "triangle-alert",
  failed: "circle-alert",
  "not-needed": "info",
  "not-tried": "ban",
};

/** @param {App} app */
export function mountConnectionCheck(app) {
  const idle = /** @type {HTMLSelectElement} */ (find("#check-idle"));
  const sleep = /** @type {HTMLSelectElement} */ (find("#check-sleep"));
  const begin = /** @type {HTMLButtonElement} */ (find("#check-begin"));
  const stop = /** @type {HTMLButtonElement} */ (find("#check-cancel"));
  const withServer = /** @type {HTMLInputElement} */ (find("#check-with-server"));
  const problem = find("#check-error");
  /**
   * The report as it is to be copied: a page may write into the clipboard only at once, so it is asked for before.
   *
   * @type {string | null}
   */
  let report = null;

  /** @param {CheckWish} wish */
  async function ask(wish) {
    const account = app.address;
    if (account === null) return;
    try {
      const check = await checkConnection(account, wish);
      const state = app.state.accounts.get(account);
      // Events are newer than an answer; without any, the answer is all there is.
      if (state && (state.check === null || wish.kind === "look")) state.check = check;
      problem.hidden = true;
    } catch (error) {
      setText(problem, String(error));
      problem.hidden = false;
    }
    draw();
  }

  async function prepareReport() {
    const account = app.address;
    report = null;
    if (account === null) return;
    report = await checkReport(account, withServer.checked).catch(() => null);
    find("#check-report").hidden = report === null;
  }

  function draw() {
    const check = app.account?.check ?? null;
    const running = check?.running ?? false;
    const hadFocus = document.activeElement === begin || document.activeElement === stop;
    begin.hidden = running;
    stop.hidden = !running;
    if (hadFocus) (running ? stop : begin).focus();
    idle.disabled = running;
    sleep.disabled = running;
    const steps = find("#check-steps");
    steps.hidden = check === null;
    steps.replaceChildren(...(check?.steps ?? []).map(row));
    const verdict = find("#check-verdict");
    verdict.hidden = !check || check.verdict === null;
    setText(verdict, check?.verdict ?? "");
    if (check && check.verdict !== null) void prepareReport();
    else find("#check-report").hidden = true;
  }

  /** @param {CheckStep} step */
  function row(step) {
    return make("li", { "data-step": step.name, "data-mark": step.mark },
      icon(ICONS[step.mark]),
      make("strong", {}, step.title),
      make("span", { class: "visually-hidden" }, step.state),
      make("span", { class: "took" }, step.took),
      make("span", { class: "found", dir: "auto" }, step.sentence),
    );
  }

  /**
   * @param {HTMLSelectElement} select
   * @param {number[]} lengths
   */
  function offer(select, lengths) {
    const chosen = select.value;
    select.replaceChildren(...lengths.map((length) => {
      const minutes = length >= 60 && length % 60 === 0;
      const text = length === 0
        ? app.say("ui-check-none")
        : app.say(minutes ? "ui-check-minutes" : "ui-check-seconds", { n: minutes ? length / 60 : length });
      return make("option", { value: length }, text);
    }));
    if (chosen !== "") select.value = chosen;
  }

  find("#check-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const state = app.account;
    // What is shown of an earlier one goes with the first event of this one.
    if (state) state.check = null;
    void ask({ kind: "begin", idle: Number(idle.value), sleep: Number(sleep.value) });
  });
  stop.addEventListener("click", () => void ask({ kind: "cancel" }));
  withServer.addEventListener("change", () => void prepareReport());
  find("#check-copy").addEventListener("click", async () => {
    if (report === null) return;
    await copy(report);
    setText(find("#check-verdict"), app.say("ui-check-copied"));
  });
  find("#connection").addEventListener("click", () => {
    offer(idle, SILENCES);
    offer(sleep, SLEEPS);
    void ask({ kind: "look" });
  });
  app.on(["check", "accounts"], () => {
    if (dialog("#connection-panel").open) draw();
  });
}
