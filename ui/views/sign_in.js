// @ts-check
/**
 * The first screen: address, password, and endpoint and proxy for those who know theirs.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Proxy} Proxy
 */
import { refusal, signIn } from "../shell.js";
import { find } from "./element.js";
import { clearError, showError } from "./field_error.js";

/** @param {App} app */
export function mountSignIn(app) {
  const screen = find("#sign-in");
  const session = find("#session");
  const form = /** @type {HTMLFormElement} */ (find("#sign-in-form"));
  const general = find("#sign-in-error");
  const advanced = /** @type {HTMLDetailsElement} */ (find("#advanced"));
  const submit = /** @type {HTMLButtonElement} */ (find("#sign-in-submit"));
  const fields = {
    address: /** @type {HTMLInputElement} */ (find("#address")),
    password: /** @type {HTMLInputElement} */ (find("#password")),
    endpoint: /** @type {HTMLInputElement} */ (find("#endpoint")),
    proxy: /** @type {HTMLInputElement} */ (find("#proxy")),
    "proxy-user": /** @type {HTMLInputElement} */ (find("#proxy-user")),
  };
  const proxyChoice = /** @type {HTMLSelectElement} */ (find("#proxy-choice"));
  const proxyPassword = /** @type {HTMLInputElement} */ (find("#proxy-password"));
  const proxyGiven = find("#proxy-given");
  let busy = false;

  function draw() {
    const wanted = app.state.opened && app.account === null;
    const appears = wanted && screen.hidden;
    screen.hidden = !wanted;
    session.hidden = app.account === null;
    submit.textContent = app.say(busy ? "ui-signing-in" : "ui-sign-in");
    submit.setAttribute("aria-disabled", String(busy));
    if (appears) fields.address.focus();
  }

  function clear() {
    general.hidden = true;
    general.textContent = "";
    for (const field of Object.values(fields)) clearError(field);
  }

  /** @returns {boolean} whether there is something to try */
  function complete() {
    if (fields.address.value.trim() === "") {
      showError(fields.address, app.say("ui-error-address-empty"));
      return false;
    }
    if (fields.password.value === "") {
      showError(fields.password, app.say("ui-error-password-empty"));
      return false;
    }
    if (proxyChoice.value === "given" && fields.proxy.value.trim() === "") {
      advanced.open = true;
      showError(fields.proxy, app.say("ui-error-proxy-empty"));
      return false;
    }
    return true;
  }

  /** @returns {Proxy} */
  function proxy() {
    if (proxyChoice.value !== "given") return { address: proxyChoice.value, user: "", password: "" };
    return {
      address: fields.proxy.value.trim(),
      user: fields["proxy-user"].value,
      password: proxyPassword.value,
    };
  }

  function drawProxy() {
    proxyGiven.hidden = proxyChoice.value !== "given";
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    clear();
    if (!complete()) return;
    busy = true;
    draw();
    const endpoint = fields.endpoint.value.trim();
    try {
      await signIn(fields.address.value.trim(), fields.password.value, endpoint === "" ? null : endpoint, proxy());
      for (const field of [...Object.values(fields), proxyPassword]) field.value = "";
      proxyChoice.value = "system";
      drawProxy();
    } catch (error) {
      const { field, sentence } = refusal(error);
      if (field !== null && field !== "address" && field !== "password") advanced.open = true;
      if (field) {
        showError(fields[field], sentence);
        if (field === "password") fields.password.select();
      } else {
        general.textContent = sentence;
        general.hidden = false;
        general.focus();
      }
    } finally {
      busy = false;
      draw();
    }
  });

  proxyChoice.addEventListener("change", drawProxy);
  for (const field of Object.values(fields)) field.addEventListener("input", () => clearError(field));

  app.on(["accounts"], draw);
}
