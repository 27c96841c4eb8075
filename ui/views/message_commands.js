// @ts-check
/**
 * What can be done with one message.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Message} Message
 */
import { editable } from "../timeline.js";
import { find } from "./element.js";
import { openMenu } from "./menu.js";

/**
 * @param {App} app
 * @param {{ edit: (message: Message) => void, send: (body: string) => void }} composer
 * @param {(message: Message) => void} forget takes one off the screen that never reached the shell
 */
export function messageCommands(app, composer, forget) {
  const menu = find("#message-menu");
  return {
    /** @param {Message} message */
    retry(message) {
      if (message.id >= 0) {
        void app.act({ kind: "retry", id: message.id });
        return;
      }
      const typed = app.outgoing.take(message.id);
      forget(message);
      if (typed?.content.kind === "text") composer.send(typed.content.body);
    },

    /** @param {Message} message */
    discard(message) {
      if (message.id >= 0) {
        void app.act({ kind: "discard", id: message.id });
        return;
      }
      app.outgoing.take(message.id);
      forget(message);
    },

    /**
     * @param {Message} message
     * @param {HTMLElement} opener
     */
    menu(message, opener) {
      const { content } = message;
      if (content.kind !== "text") return;
      const copyItem = { command: "copy", label: app.say("ui-copy"), icon: "copy", run: () => void copy(content.body) };
      const own = [
        { command: "edit", label: app.say("ui-edit"), icon: "pencil", run: () => composer.edit(message) },
        {
          command: "retract",
          label: app.say("ui-retract"),
          icon: "trash-2",
          danger: true,
          run: () => void app.act({ kind: "retract", id: message.id }),
        },
      ];
      openMenu(menu, opener, editable(message) ? [copyItem, ...own] : [copyItem]);
    },
  };
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Where the page may not use the clipboard's own interface, the older way still works.
    const before = document.activeElement;
    const field = document.createElement("textarea");
    field.className = "visually-hidden";
    field.value = text;
    // Under an open dialog nothing can be selected.
    ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}
