// @ts-check
/**
 * A new version of the program is there: a line that waits until the user wants it, or puts it off. What the release says of itself is text
 * like a message's, unfolded by who wants to read it.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").UpdateWish} UpdateWish
 */
import { update as wish } from "../shell.js";
import { find, focusOn, setText } from "./element.js";

/** @param {App} app */
export function mountUpdateNotice(app) {
  const place = find("#update");
  const sentence = find(".sentence", place);
  const install = find("#update-install");
  const later = find("#update-later");
  const notes = /** @type {HTMLDetailsElement} */ (find("#update-notes"));
  let spoken = "";

  /** @param {import("../protocol.js").Update} update */
  function words(update) {
    const { version } = update;
    switch (update.stage) {
      case "offered":
        return app.say("ui-update-offered", { version });
      case "installing":
        return app.say("ui-update-installing", { version });
      case "failed":
        return update.problem ?? "";
    }
  }

  function draw() {
    const { update } = app.state;
    const focused = place.contains(document.activeElement);
    if (update) {
      const text = words(update);
      setText(sentence, text);
      setText(install, app.say(update.stage === "failed" ? "ui-update-again" : "ui-update-install"));
      setText(find("p", notes), update.notes);
      if (text !== spoken) app.announce(text);
      spoken = text;
    }
    install.hidden = update?.stage === "installing";
    later.hidden = update?.stage === "installing";
    notes.hidden = !update || update.notes === "" || update.stage !== "offered";
    place.hidden = !update;
    const lost = document.activeElement === document.body || document.activeElement?.closest("[hidden]");
    if (focused && lost) focusOn("#composer-text", "#filter", "#address");
  }

  /** @param {UpdateWish} what */
  async function want(what) {
    try {
      await wish(what);
    } catch (error) {
      setText(sentence, String(error));
      app.announce(String(error));
    }
  }

  install.addEventListener("click", () => void want("install"));
  later.addEventListener("click", () => void want("later"));
  app.on(["update"], draw);
}
