// @ts-check
/**
 * How Dormouse sits on the desktop: a part of the account's panel.
 *
 * @typedef {import("../protocol.js").Desktop} Desktop
 * @typedef {import("../protocol.js").DesktopWish} DesktopWish
 */
import { desktop, setDesktop } from "../shell.js";
import { minutesOf, timeOf } from "../hours.js";
import { find } from "./element.js";

export function mountDesktopSettings() {
  const input = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (find(`#desktop-${name}`));
  const closing = /** @type {HTMLSelectElement} */ (find("#desktop-closing"));
  const problem = find("#desktop-error");

  /** @param {Desktop} told */
  function show(told) {
    input("autostart").checked = told.autostart;
    input("sound").checked = told.sound;
    input("quiet").checked = told.quiet !== null;
    find("#desktop-hours").hidden = told.quiet === null;
    if (told.quiet !== null) {
      input("from").value = timeOf(told.quiet.from);
      input("to").value = timeOf(told.quiet.to);
    }
    closing.value = told.closing ?? "ask";
    complain(told.problem);
  }

  /** @param {string | null} sentence */
  function complain(sentence) {
    problem.hidden = sentence === null;
    problem.textContent = sentence ?? "";
  }

  /** @param {Promise<Desktop>} asked */
  async function shown(asked) {
    try {
      show(await asked);
    } catch (error) {
      // What is in force stands there again, and why.
      await look();
      complain(String(error));
    }
  }

  async function look() {
    try {
      show(await desktop());
    } catch (error) {
      complain(String(error));
    }
  }

  /** @param {DesktopWish} wish */
  function wish(wish) {
    void shown(setDesktop(wish));
  }

  function hours() {
    const [from, to] = [minutesOf(input("from").value), minutesOf(input("to").value)];
    if (!input("quiet").checked) wish({ kind: "quiet", hours: null });
    else if (from !== null && to !== null) wish({ kind: "quiet", hours: { from, to } });
  }

  input("autostart").addEventListener("change", () => wish({ kind: "autostart", on: input("autostart").checked }));
  input("sound").addEventListener("change", () => wish({ kind: "sound", on: input("sound").checked }));
  for (const name of ["quiet", "from", "to"]) input(name).addEventListener("change", hours);
  closing.addEventListener("change", () => {
    const means = closing.value === "quit" || closing.value === "minimise" ? closing.value : null;
    wish({ kind: "closing", means });
  });
  find("#panel-desktop").addEventListener("submit", (event) => event.preventDefault());
  return { look: () => void look() };
}
