// @ts-check
/**
 * Puts the window together: the shell's events go into the state, and what they touch is drawn.
 *
 * @typedef {import("./protocol.js").Event} ShellEvent
 * @typedef {import("./protocol.js").Message} Message
 * @typedef {import("./state.js").Touched} Touched
 */
import { App } from "./app.js";
import { list } from "./state.js";
import { open, openLink, quit } from "./shell.js";
import { Words } from "./translate.js";
import { mountAccountPanel } from "./views/account_panel.js";
import { mountBanner } from "./views/banner.js";
import { mountClosingDialog } from "./views/closing_dialog.js";
import { mountConnectionCheck } from "./views/connection_check.js";
import { mountConnectionPanel } from "./views/connection_panel.js";
import { Composer } from "./views/composer.js";
import { mountCrashDialog } from "./views/crash_dialog.js";
import { mountConversationHeader } from "./views/conversation_header.js";
import { mountConversationList } from "./views/conversation_list.js";
import { Reader } from "./views/conversation_reader.js";
import { mountDialogs, openAdd } from "./views/dialogs.js";
import { find } from "./views/element.js";
import { mountFramesPanel } from "./views/frames_panel.js";
import { mountLayout } from "./views/layout.js";
import { mountLinkDialog } from "./views/link_dialog.js";
import { mountNotices } from "./views/notices.js";
import { mountReportDialog } from "./views/report_dialog.js";
import { mountRequests } from "./views/requests.js";
import { mountSignIn } from "./views/sign_in.js";
import { mountUpdateNotice } from "./views/update_notice.js";

const app = new App();
const composer = new Composer(app);
const reader = new Reader(app, {
  edit: (message) => composer.edit(message),
  send: (body) => composer.send(body),
});
composer.onWrite = (/** @type {Message} */ message) => reader.write(message);
composer.onFailed = (/** @type {Message} */ message) => {
  reader.timeline.change(message);
  reader.drawSoon();
};
composer.lastOwn = () => reader.timeline.lastEditable();

mountLayout(app);
mountSignIn(app);
mountBanner(app);
mountConnectionPanel(app);
mountConnectionCheck(app);
mountFramesPanel(app);
mountReportDialog(app);
const crashes = mountCrashDialog(app);
const closing = mountClosingDialog();
const links = mountLinkDialog(app, (address, text) => {
  openConversation(address);
  if (text !== null) composer.suggest(text);
});
mountNotices(app);
mountUpdateNotice(app);
mountAccountPanel(app);
mountDialogs(app, openConversation);
mountRequests(app, openConversation);
mountConversationHeader(app, { add: openAdd });
const conversations = mountConversationList(app, openConversation);

app.onChoose.push(() => {
  composer.load();
  void reader.open(app.address, app.with);
});

/**
 * Brings a conversation into view and the cursor into its line.
 *
 * @param {string} address
 */
function openConversation(address) {
  if (app.with !== address) app.choose(address);
  app.show("conversation");
  app.drawNow();
  composer.focus();
}

/** At the start the conversation last spoken in is in view, where there is room for it. */
function chooseFirst() {
  const account = app.account;
  if (!account || app.with !== null || app.narrow) return;
  const first = list(account, "", app.words.collator.compare)[0];
  if (first?.conversation?.last) app.choose(first.person.address);
}

/** Puts the language's words where the page has a place for them. */
function dress() {
  app.words = new Words(app.state.language, app.state.texts);
  document.documentElement.lang = app.words.language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = app.say(/** @type {HTMLElement} */ (element).dataset["text"] ?? "");
  }
  for (const [data, attribute] of [["label", "aria-label"], ["title", "title"], ["placeholder", "placeholder"]]) {
    for (const element of document.querySelectorAll(`[data-${data}]`)) {
      element.setAttribute(attribute ?? "", app.say(element.getAttribute(`data-${data}`) ?? ""));
    }
  }
}

/** Drafts that the shell knows of, as far as nothing newer is being typed here. */
function learnDrafts() {
  const account = app.account;
  if (!account) return;
  const { address } = account.account;
  for (const [withWhom, conversation] of account.conversations) app.drafts.told(address, withWhom, conversation.draft);
  composer.refresh();
}

/** @param {Touched} touched */
function draw(touched) {
  const inView = "account" in touched && touched.account === app.address;
  switch (touched.topic) {
    case "opened":
      dress();
      void crashes.look();
      app.touch("accounts", "people", "connection", "notices", "typing", "update", "view");
      break;
    case "accounts":
      if (app.account === null && app.with !== null) app.choose(null);
      if (app.account === null) app.show("list");
      app.touch("accounts", "people", "connection", "notices", "view");
      break;
    case "snapshot":
      if (!inView) break;
      arrived = true;
      app.touch("accounts", "people", "connection", "notices", "typing", "view");
      learnDrafts();
      if (app.with === null) chooseFirst();
      else void reader.snapshot();
      break;
    case "connection":
      if (!inView) break;
      app.touch("connection", "people");
      reader.connected(app.account?.connection?.state === "live");
      reader.drawSoon();
      break;
    case "path":
      if (inView) app.touch("path");
      break;
    case "check":
      if (inView) app.touch("check");
      break;
    case "people":
      if (!inView) break;
      app.touch("people");
      reader.drawSoon();
      break;
    case "typing":
      if (inView) app.touch("typing");
      break;
    case "notices":
      if (inView) app.touch("notices");
      break;
    case "message":
      reader.told(touched.account, touched.message);
      break;
    case "removed":
      reader.gone(touched.account, touched.with, touched.id);
      break;
    case "older":
      void reader.olderCame(touched.account, touched.with, touched.more);
      break;
    case "caught-up":
      if (inView) reader.caughtUp();
      break;
    case "link":
      links.ask(touched.request);
      break;
    case "update":
      app.touch("update");
      break;
    case "closing":
      closing.ask();
      break;
    case "show":
      if (inView) openConversation(touched.with);
      break;
  }
}

/** Whether the event being handled brought the account in view. */
let arrived = false;

/** @param {ShellEvent} event */
function onEvent(event) {
  if (event.kind === "account-removed") {
    app.drafts.forget(event.account);
    app.outgoing.forget(event.account);
  }
  const touched = app.state.apply(event);
  arrived = false;
  for (const each of touched) draw(each);
  // The cached conversations stand in the first frame, not in the one after it.
  if (event.kind === "opened" || event.kind === "snapshot") app.drawNow();
  if (arrived) settleFocus();
}

/** Nobody has the focus, at the start or after signing in: whoever is needed next gets it. */
function settleFocus() {
  const active = document.activeElement;
  // What was hidden just now keeps the focus until the next frame.
  if (active && active !== document.body && !active.closest("[hidden]")) return;
  const unlock = find("#unlock-password");
  if (unlock.offsetParent !== null) unlock.focus();
  else if (app.conversationInView) composer.focus();
  else find("#filter").focus();
}

/** Links are opened outside, by the shell; the page never leaves itself. */
function onLink(/** @type {MouseEvent} */ event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link) return;
  event.preventDefault();
  if (event.type !== "click") return;
  openLink(link.href).catch((error) => {
    if (app.address !== null) app.complain(app.address, error);
  });
}

document.addEventListener("click", onLink);
document.addEventListener("auxclick", onLink);
for (const kind of ["dragenter", "dragover", "drop", "dragstart"]) {
  document.addEventListener(kind, (event) => event.preventDefault());
}

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (app.account === null || document.querySelector("dialog[open]")) return;
    if (app.narrow) app.show("list");
    app.drawNow();
    /** @type {HTMLInputElement} */ (find("#filter")).select();
    find("#filter").focus();
  } else if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "q") {
    event.preventDefault();
    app.drafts.flush();
    void quit();
  } else if (event.altKey && !command && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    if (app.account === null || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    conversations.step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
    // Nothing on top: from anywhere back to writing; from there, in the narrow window, back to the list.
    if (app.narrow && app.pane === "conversation") back();
    else composer.focus();
  }
});

function back() {
  app.show("list");
  app.drawNow();
  conversations.focusCurrent();
}

find("#back").addEventListener("click", back);
find("#add-contact").addEventListener("click", () => openAdd());
find("#list-empty button").addEventListener("click", () => openAdd());
find("#empty-conversation button").addEventListener("click", () => openAdd());

addEventListener("focus", () => reader.seen.looked());
addEventListener("blur", () => {
  reader.seen.left();
  app.drafts.flush();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") app.drafts.flush();
  else reader.seen.looked();
});
addEventListener("pagehide", () => app.drafts.flush());

open(onEvent).catch(reportError);
