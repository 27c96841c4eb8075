// @ts-check
/**
 * The connection, always in view: the chip in the header, and the banner under it while somebody may be affected. A
 * wanted password is typed right there; what is cached stays readable behind it.
 *
 * @typedef {import("../app.js").App} App
 */
import { looks, Settling } from "../connection.js";
import { refusal, unlock } from "../shell.js";
import { find, focusOn, setAttribute, setText } from "./element.js";
import { clearError, showError } from "./field_error.js";

const ICONS = /** @type {Record<string, string>} */ ({
  asleep: "moon",
  offline: "wifi-off",
  suspect: "refresh-cw",
  connecting: "refresh-cw",
  "signing-in": "refresh-cw",
  "catching-up": "refresh-cw",
  waiting: "clock",
  stopped: "circle-alert",
});

/** @param {App} app */
export function mountBanner(app) {
  const chip = find("#connection");
  const banner = find("#banner");
  const sentence = find(".sentence", banner);
  const retry = find("#retry-now");
  const form = /** @type {HTMLFormElement} */ (find("#unlock-form"));
  const password = /** @type {HTMLInputElement} */ (find("#unlock-password"));
  const submit = /** @type {HTMLButtonElement} */ (find("#unlock-submit"));
  const settling = new Settling();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  let spoken = "";

  function draw() {
    clearTimeout(again);
    const account = app.account;
    const connection = account?.connection;
    if (!account || !connection) {
      banner.hidden = true;
      chip.hidden = true;
      return;
    }
    const now = Date.now();
    const wants = account.account.wantsPassword;
    const well = connection.state === "live" && wants === null;
    const wait = settling.ask(wants === null ? connection.state : "stopped", well, now);
    if (wait !== null) {
      again = setTimeout(draw, wait);
      return;
    }
    const look = looks(connection, account.catchUp, account.asleepSince, wants, now, (at) => app.words.since(at, now));
    const words = app.say(look.chip.key, look.chip.args);
    chip.hidden = false;
    setAttribute(chip, "data-state", look.state);
    setText(find(".words", chip), words);

    const said = look.banner === null ? "" : app.say(look.banner.key, look.banner.args);
    // The field says it already, or the cause says what to do.
    const cause = look.password && look.cause === find("#unlock-error").textContent ? null : look.cause;
    const whole = look.password ? (cause ?? said) : [cause, said].filter((part) => part).join(" ");
    setText(sentence, whole);
    setAttribute(banner, "data-state", look.state);
    setAttribute(find("use", banner), "href", `#icon-${look.password ? "key-round" : (ICONS[look.state] ?? "info")}`);
    const focused = banner.contains(document.activeElement);
    retry.hidden = !look.retry;
    form.hidden = !look.password;
    banner.hidden = look.banner === null;
    const lost = document.activeElement === document.body || document.activeElement?.closest("[hidden]");
    if (focused && lost) focusOn("#composer-text", "#filter");

    // The countdown is for the eye: heard, the sentence comes once.
    const heard = `${look.state} ${look.cause ?? ""}`;
    if (heard !== spoken && spoken !== "") app.announce(look.banner === null ? words : whole);
    spoken = heard;
    if (look.state === "waiting" && connection.retryAt !== null) {
      again = setTimeout(draw, Math.max(100, ((connection.retryAt - now) % 1000) + 5));
    }
  }

  retry.addEventListener("click", () => {
    void app.act({ kind: "retry-now" });
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const account = app.address;
    if (account === null) return;
    clearError(password);
    if (password.value === "") {
      showError(password, app.say("ui-error-password-empty"));
      return;
    }
    const tried = password.value;
    submit.disabled = true;
    try {
      await unlock(account, tried);
      password.value = "";
    } catch (error) {
      submit.disabled = false;
      showError(password, refusal(error).sentence);
      // Whoever types the next one already is not interrupted.
      if (password.value === tried) password.select();
      draw();
    } finally {
      submit.disabled = false;
    }
  });

  app.on(["connection", "accounts", "view"], draw);
}
