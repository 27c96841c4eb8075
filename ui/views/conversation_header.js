// @ts-check
/**
 * Who the conversation is with, and what can be done about them.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("./menu.js").Item} Item
 */
import { drawAvatar } from "./avatar.js";
import { confirm, openRename } from "./dialogs.js";
import { find, setText } from "./element.js";
import { openMenu } from "./menu.js";
import { copy } from "./message_commands.js";
import { drawPresence } from "./presence.js";
import { mute } from "../shell.js";

/**
 * @param {App} app
 * @param {{ add: (address: string) => void }} ways
 */
export function mountConversationHeader(app, ways) {
  const block = find("#person");
  const button = find("#conversation-menu-button");
  const menu = find("#conversation-menu");
  const warning = find("#person-warning");
  const typing = find("#typing");
  const emptyView = find("#empty-conversation");

  function draw() {
    const account = app.account;
    const withWhom = app.with;
    const shown = account !== null && withWhom !== null;
    block.hidden = !shown;
    button.hidden = !shown;
    warning.hidden = true;
    emptyView.hidden = shown || account === null;
    if (!shown) {
      setText(typing, "");
      const nobody = !account || (account.conversations.size === 0 && account.contacts.size === 0);
      setText(find("p", emptyView), app.say(nobody ? "ui-nobody-yet" : "ui-choose"));
      find("button", emptyView).hidden = !nobody;
      return;
    }
    const person = account.person(withWhom);
    const contact = account.contacts.get(withWhom) ?? null;
    drawAvatar(find(".avatar", block), person);
    const name = find("#person-name");
    if (name.textContent !== person.name) {
      const bdi = document.createElement("bdi");
      bdi.textContent = person.name;
      name.replaceChildren(bdi);
    }
    find("#person-stranger").hidden = !person.stranger;
    find("#person-muted").hidden = !account.account.muted.includes(withWhom);
    const address = find("#person-address");
    setText(address, person.address);
    address.hidden = person.address === person.name;
    drawPresence(app, find("#presence"), contact, true);
    warning.hidden = person.warning === null;
    setText(find("span", warning), person.warning ?? "");
    setText(typing, account.typing.has(withWhom) ? app.say("ui-typing", { name: person.name }) : "");
  }

  /** @returns {Item[]} */
  function items() {
    const account = app.account;
    const withWhom = app.with;
    if (!account || withWhom === null) return [];
    const person = account.person(withWhom);
    const contact = account.contacts.has(withWhom);
    const blocked = account.blocked.has(withWhom);
    /** @type {Item[]} */
    const all = [];
    if (contact) {
      all.push({ command: "rename", label: app.say("ui-rename"), icon: "pencil", run: () => openRename(app, person) });
    } else {
      all.push({ command: "add", label: app.say("ui-add-contact"), icon: "user-plus", run: () => ways.add(withWhom) });
    }
    const muted = account.account.muted.includes(withWhom);
    all.push({
      command: muted ? "unmute" : "mute", label: app.say(muted ? "ui-unmute" : "ui-mute"), icon: "bell-off",
      run: () => void mute(account.account.address, withWhom, !muted)
        .catch((error) => app.complain(account.account.address, error)),
    });
    all.push({ command: "copy-address", label: app.say("ui-copy-address"), icon: "copy", run: () => void copy(withWhom) });
    if (contact) {
      all.push({
        command: "remove", label: app.say("ui-remove"), icon: "user-round-minus", danger: true,
        run: () => confirm(app, {
          title: app.say("ui-remove-title", { name: person.name }),
          text: app.say("ui-remove-text"),
          yes: app.say("ui-remove"),
        }, () => void app.act({ kind: "remove", address: withWhom })),
      });
    }
    if (blocked) {
      all.push({
        command: "unblock", label: app.say("ui-unblock"), icon: "ban",
        run: () => void app.act({ kind: "unblock", address: withWhom }),
      });
    } else {
      all.push({
        command: "block", label: app.say("ui-block"), icon: "ban", danger: true,
        run: () => confirm(app, {
          title: app.say("ui-block-title", { name: person.name }),
          text: app.say("ui-block-text"),
          yes: app.say("ui-block"),
        }, () => void app.act({ kind: "block", address: withWhom })),
      });
    }
    return all;
  }

  button.addEventListener("click", () => {
    if (menu.hidden) openMenu(menu, button, items());
  });
  app.on(["view", "people", "typing", "connection", "accounts"], draw);
}
