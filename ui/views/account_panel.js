// @ts-check
/**
 * The account, sliding over the list: where and since when it is connected, that its password can't be kept, who is
 * blocked, whether metrics are given out, and the way out.
 *
 * @typedef {import("../app.js").App} App
 */
import { quit, refusal, signOut } from "../shell.js";
import { dialog } from "./dialogs.js";
import { mountDesktopSettings } from "./desktop_settings.js";
import { drawAvatar } from "./avatar.js";
import { find, first, focusOn, make, setText } from "./element.js";
import { mountMetrics } from "./metrics.js";

/** @param {App} app */
export function mountAccountPanel(app) {
  const button = find("#account-button");
  const panel = dialog("#account-panel");
  const leaving = dialog("#sign-out-dialog");
  const forget = /** @type {HTMLInputElement} */ (find("#sign-out-forget"));
  const yes = /** @type {HTMLButtonElement} */ (find("#sign-out-yes"));
  const problem = find("#sign-out-error");
  const metrics = mountMetrics(app);
  const desktop = mountDesktopSettings();

  function draw() {
    const account = app.account;
    if (!account) {
      if (panel.open) panel.close();
      return;
    }
    const { address } = account.account;
    setText(find(".account-address", button), address);
    drawAvatar(find(".avatar", button), { ...account.person(address) });
    if (!panel.open) return;
    find("#panel-facts").replaceChildren(...facts());
    drawBlocked();
    setText(find("#panel-version"), app.say("ui-version", { version: app.state.version }));
  }

  function facts() {
    const account = app.account;
    if (!account) return [];
    const { connection } = account;
    const now = Date.now();
    /** @type {Array<[string, string, string]>} */
    const all = [["panel-address", "ui-address", account.account.address]];
    if (connection) {
      const state = app.say(`ui-connection-${connection.state}`);
      const since = app.say("ui-since", { time: app.words.since(connection.since, now) });
      all.push(["panel-connection", "ui-connection", `${state} ${since} ${connection.cause}`.trim()]);
    }
    all.push(["panel-endpoint", "ui-endpoint", account.account.endpoint ?? app.say("ui-endpoint-found")]);
    if (account.account.proxy !== null) {
      const none = account.account.proxy === "none";
      all.push(["panel-proxy", "ui-proxy", none ? app.say("ui-proxy-never") : account.account.proxy]);
    }
    if (account.account.notKept !== null) all.push(["panel-kept", "ui-password", account.account.notKept]);
    return all.flatMap(([id, key, value]) => [
      make("dt", {}, app.say(key)),
      make("dd", { id, dir: "auto" }, value),
    ]);
  }

  function drawBlocked() {
    const blocked = [...(app.account?.blocked ?? [])];
    const section = find("#panel-blocked");
    const hadFocus = section.contains(document.activeElement);
    section.hidden = blocked.length === 0;
    find("ul", section).replaceChildren(...blocked.map((address) => {
      const unblock = make("button", { type: "button", "aria-label": app.say("ui-unblock-who", { name: address }) }, app.say("ui-unblock"));
      unblock.addEventListener("click", () => void app.act({ kind: "unblock", address }));
      return make("li", {}, make("bdi", {}, address), unblock);
    }));
    if (hadFocus) (first("button", section) ?? find("#panel-close")).focus();
  }

  button.addEventListener("click", () => {
    panel.showModal();
    draw();
    metrics.look();
    desktop.look();
    find("#panel-close").focus();
  });
  find("#panel-close").addEventListener("click", () => panel.close());
  find("#quit").addEventListener("click", () => void quit());
  find("#sign-out").addEventListener("click", () => {
    panel.close();
    forget.checked = false;
    problem.hidden = true;
    leaving.showModal();
    find("#sign-out-no").focus();
  });
  find("#sign-out-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const account = app.address;
    if (account === null) return;
    yes.disabled = true;
    try {
      await signOut(account, forget.checked);
      leaving.close();
      // The form could not have the focus while the dialog was open.
      focusOn("#address", "#filter");
    } catch (error) {
      problem.textContent = refusal(error).sentence;
      problem.hidden = false;
    } finally {
      yes.disabled = false;
    }
  });

  app.on(["accounts", "connection", "people"], draw);
}
