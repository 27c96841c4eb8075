// @ts-check
/**
 * The list of conversations: arrow keys go through it, Enter opens. Names are what the user called people; a stranger's address always
 * stands beside.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../state.js").Entry} Entry
 */
import { list } from "../state.js";
import { oneLine } from "../text.js";
import { drawAvatar } from "./avatar.js";
import { arrange, find, icon, make, setAttribute, setText } from "./element.js";
import { drawPresence } from "./presence.js";

/**
 * @param {App} app
 * @param {(address: string) => void} open
 */
export function mountConversationList(app, open) {
  const place = find("#conversations");
  const filter = /** @type {HTMLInputElement} */ (find("#filter"));
  const empty = find("#list-empty");
  /** @type {Map<string, Line>} */
  const lines = new Map();
  /**
   * The one the Tab key comes to.
   *
   * @type {string | null}
   */
  let current = null;

  function draw() {
    const account = app.account;
    const entries = account ? list(account, filter.value, app.words.collator.compare) : [];
    const now = Date.now();
    const addresses = entries.map((entry) => entry.person.address);
    if (current === null || !addresses.includes(current)) current = app.with ?? null;
    if (current === null || !addresses.includes(current)) current = addresses[0] ?? null;
    const focused = place.contains(document.activeElement);
    const wanted = entries.map((entry) => {
      const { address } = entry.person;
      let line = lines.get(address);
      if (!line) {
        line = new Line(app, address);
        lines.set(address, line);
      }
      line.draw(entry, now, address === app.with, address === current);
      return line.element;
    });
    for (const address of lines.keys()) if (!addresses.includes(address)) lines.delete(address);
    arrange(place, wanted);
    place.hidden = wanted.length === 0;
    if (focused && !place.contains(document.activeElement)) focus(current);
    empty.hidden = wanted.length > 0 || !account || account.requests.size > 0;
    const filtered = filter.value.trim() !== "";
    setText(find("p", empty), app.say(filtered ? "ui-nobody-found" : "ui-nobody-yet"));
    find("button", empty).hidden = filtered;
    empty.classList.toggle("first-moment", !filtered);
  }

  /** @param {string | null} address */
  function focus(address) {
    if (address === null || !lines.has(address)) {
      filter.focus();
      return;
    }
    current = address;
    for (const [each, line] of lines) line.element.tabIndex = each === address ? 0 : -1;
    const element = lines.get(address)?.element;
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  }

  /** @param {EventTarget | null} target */
  function addressOf(target) {
    const line = target instanceof Element ? target.closest(".conversation") : null;
    return line instanceof HTMLElement ? (line.dataset["with"] ?? null) : null;
  }

  place.addEventListener("click", (event) => {
    const address = addressOf(event.target);
    if (address === null) return;
    current = address;
    open(address);
  });
  place.addEventListener("keydown", (event) => {
    const all = /** @type {HTMLElement[]} */ ([...place.children]);
    const here = addressOf(event.target);
    const at = all.findIndex((each) => each.dataset["with"] === here);
    /** @type {Record<string, number>} */
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const next = to[event.key];
    if (next !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (next < 0) filter.focus();
      else focus(all[Math.min(next, all.length - 1)]?.dataset["with"] ?? null);
    } else if ((event.key === "Enter" || event.key === " ") && here !== null) {
      event.preventDefault();
      filter.value = "";
      open(here);
    }
  });
  filter.addEventListener("input", () => {
    current = null;
    draw();
  });
  filter.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const first = place.firstElementChild;
    const address = first instanceof HTMLElement ? (first.dataset["with"] ?? null) : null;
    if (event.key === "ArrowDown" && address !== null) {
      event.preventDefault();
      focus(address);
    } else if (event.key === "Enter" && address !== null) {
      event.preventDefault();
      filter.value = "";
      draw();
      open(address);
    } else if (event.key === "Escape" && filter.value !== "") {
      event.preventDefault();
      event.stopPropagation();
      filter.value = "";
      draw();
    }
  });

  app.on(["people", "typing", "accounts", "connection"], draw);
  // Times like "yesterday" grow old.
  setInterval(() => app.touch("people"), 60_000);

  return {
    /**
     * The next or previous conversation of the list.
     *
     * @param {1 | -1} step
     */
    step(step) {
      const all = /** @type {HTMLElement[]} */ ([...place.children]);
      const at = all.findIndex((each) => each.dataset["with"] === app.with);
      const next = all[at + step]?.dataset["with"];
      if (next !== undefined) open(next);
    },
    focusCurrent: () => focus(app.with),
  };
}

/** One line of it. */
class Line {
  /**
   * @param {App} app
   * @param {string} address
   */
  constructor(app, address) {
    this.app = app;
    this.avatar = make("span", { class: "avatar", "aria-hidden": "true" });
    this.presence = make("span", {});
    this.name = make("bdi", { class: "name" });
    this.warning = make("span", { class: "warning" }, icon("triangle-alert"), make("span", { class: "visually-hidden" }));
    this.time = make("time", { class: "time" });
    this.address = make("bdi", { class: "address" });
    this.stranger = make("span", { class: "stranger mark" });
    this.draft = make("span", { class: "draft" });
    this.delivery = make("span", { class: "last-state" });
    this.last = make("bdi", { class: "last" });
    this.unread = make("span", { class: "unread" });
    this.element = make(
      "li",
      { class: "conversation", role: "option", "data-with": address, tabindex: "-1", "aria-selected": "false" },
      make("span", { class: "avatar-place" }, this.avatar, this.presence),
      make("span", { class: "lines" },
        make("span", { class: "upper" }, this.name, this.warning, this.time),
        make("span", { class: "who-line" }, this.stranger, this.address),
        make("span", { class: "lower" }, this.draft, this.delivery, this.last, this.unread)),
    );
  }

  /**
   * @param {Entry} entry
   * @param {number} now
   * @param {boolean} selected
   * @param {boolean} reachable
   */
  draw(entry, now, selected, reachable) {
    const { app } = this;
    const { person, conversation, contact } = entry;
    setAttribute(this.element, "aria-selected", String(selected));
    this.element.tabIndex = reachable ? 0 : -1;
    drawAvatar(this.avatar, person);
    drawPresence(app, this.presence, contact, false);
    setText(this.name, person.name);
    this.warning.hidden = person.warning === null;
    this.warning.title = person.warning ?? "";
    setText(find(".visually-hidden", this.warning), person.warning ?? "");
    this.stranger.hidden = !person.stranger;
    setText(this.stranger, app.say("ui-stranger"));
    this.address.hidden = person.name === person.address || (!person.stranger && person.warning === null);
    setText(this.address, person.address);

    const last = conversation?.last ?? null;
    this.time.hidden = last === null;
    if (last) {
      setAttribute(this.time, "datetime", new Date(last.at).toISOString());
      setText(this.time, app.words.briefly(last.at, now));
    }
    const draft = selected ? "" : oneLine(conversation?.draft ?? "");
    this.draft.hidden = draft === "";
    setText(this.draft, app.say("ui-draft"));
    this.delivery.hidden = true;
    if (draft !== "") setText(this.last, draft);
    else if (entry.typing) setText(this.last, app.say("ui-typing-short"));
    else setText(this.last, this.lastWords(entry));
    this.last.classList.toggle("typing", draft === "" && entry.typing);
    if (draft === "" && !entry.typing && last?.delivery?.state === "failed") {
      this.delivery.hidden = false;
      this.delivery.replaceChildren(icon("circle-alert"), make("span", { class: "visually-hidden" }, app.say("ui-delivery-failed")));
    }
    const unread = conversation?.unread ?? 0;
    this.unread.hidden = unread === 0;
    setText(this.unread, unread > 999 ? "999+" : String(unread));
    if (unread > 0) setAttribute(this.unread, "aria-label", app.say("ui-unread", { n: unread }));
    this.unread.setAttribute("role", "img");
    this.element.classList.toggle("has-unread", unread > 0);
    this.element.classList.toggle("blocked", entry.blocked);
  }

  /** @param {Entry} entry */
  lastWords(entry) {
    const { app } = this;
    const last = entry.conversation?.last ?? null;
    if (entry.blocked) return app.say("ui-blocked");
    if (!last) return app.say("ui-no-messages-yet");
    const { content } = last;
    const text = content.kind === "text" ? oneLine(content.body)
      : content.kind === "unshowable" ? content.sentence : app.say("ui-retracted");
    return last.own ? app.say("ui-you-wrote", { text }) : text;
  }
}
