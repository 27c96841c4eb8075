// @ts-check
/**
 * Whether metrics are given out on this computer, and at which port: a part of the account's panel.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Metrics} Metrics
 */
import { giveOutMetrics, metrics, refusal } from "../shell.js";
import { find, setText } from "./element.js";

/** @param {App} app */
export function mountMetrics(app) {
  const form = find("#panel-metrics");
  const on = /** @type {HTMLInputElement} */ (find("#metrics-on"));
  const port = /** @type {HTMLInputElement} */ (find("#metrics-port"));
  const problem = find("#metrics-error");

  /** @param {Metrics} told */
  function show(told) {
    on.checked = told.port !== null;
    if (told.port !== null) port.value = String(told.port);
    complain(told.problem);
    const state = told.address === null ? app.say("ui-metrics-off") : app.say("ui-metrics-at", { address: told.address });
    setText(find("#metrics-state"), state);
  }

  /** @param {string | null} sentence */
  function complain(sentence) {
    problem.hidden = sentence === null;
    problem.textContent = sentence ?? "";
    port.setAttribute("aria-invalid", String(sentence !== null));
  }

  async function change() {
    // What is no number at all is nought: the shell says what a port is.
    const wanted = on.checked ? Math.trunc(Number(port.value)) || 0 : null;
    on.disabled = true;
    try {
      show(await giveOutMetrics(wanted));
    } catch (error) {
      const { sentence } = refusal(error);
      await look();
      complain(sentence);
    } finally {
      on.disabled = false;
    }
  }

  async function look() {
    try {
      show(await metrics());
    } catch (error) {
      complain(refusal(error).sentence);
    }
  }

  on.addEventListener("change", () => void change());
  // Another port while they are given out: from now on at that one.
  port.addEventListener("change", () => {
    if (on.checked) void change();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (on.checked) void change();
  });
  return { look: () => void look() };
}
