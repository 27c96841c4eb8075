// @ts-check
/**
 * What is to be said once: each notice a line with a button that puts it away.
 *
 * @typedef {import("../app.js").App} App
 */
import { arrange, find, focusOn, icon, make, setText } from "./element.js";

/** @param {App} app */
export function mountNotices(app) {
  const place = find("#notices");
  /** @type {Map<string, HTMLElement>} */
  const lines = new Map();

  function draw() {
    const open = app.account?.openNotices() ?? [];
    const wanted = open.map(({ name, text }) => {
      let line = lines.get(name);
      if (!line) {
        line = makeLine(name);
        lines.set(name, line);
        app.announce(text);
      }
      setText(find(".sentence", line), text);
      return line;
    });
    for (const name of lines.keys()) if (!open.some((each) => each.name === name)) lines.delete(name);
    arrange(place, wanted);
    place.hidden = wanted.length === 0;
  }

  /** @param {string} name */
  function makeLine(name) {
    const dismiss = make("button", {
      type: "button",
      class: "dismiss icon-button",
      "aria-label": app.say("ui-dismiss"),
      title: app.say("ui-dismiss"),
    }, icon("x"));
    const sentence = make("p", { class: "sentence", dir: "auto" });
    dismiss.addEventListener("click", () => {
      const account = app.account;
      if (!account) return;
      account.dismissed.set(name, sentence.textContent ?? "");
      if (name === "refused") account.notices.delete(name);
      draw();
      const next = place.querySelector("button");
      if (next) next.focus();
      else focusOn("#composer-text", "#filter");
    });
    return make("div", { class: "notice", "data-name": name }, icon("info"), sentence, dismiss);
  }

  app.on(["notices", "accounts"], draw);
}
