// @ts-check
/**
 * What the views share: what is known, what is in view, and the ways to ask the shell for something. It knows no view; each
 * registers what it wants to hear of.
 *
 * @typedef {import("./protocol.js").Action} Action
 * @typedef {import("./state.js").AccountState} AccountState
 * @typedef {"accounts" | "people" | "connection" | "path" | "check" | "notices" | "typing" | "update" | "view"} Topic
 */
import { act, look } from "./shell.js";
import { Drafts } from "./drafts.js";
import { Outgoing } from "./outgoing.js";
import { State } from "./state.js";
import { Words } from "./translate.js";

/** The window. */
export class App {
  constructor() {
    this.state = new State();
    this.words = new Words("en", {});
    this.outgoing = new Outgoing();
    this.drafts = new Drafts((account, to, text) => {
      act(account, { kind: "draft", to, text }).catch((error) => this.complain(account, error));
    });
    /**
     * With whom the conversation in view is.
     *
     * @type {string | null}
     */
    this.with = null;
    /**
     * Under 640 px one of the two is in view.
     *
     * @type {"list" | "conversation"}
     */
    this.pane = "list";
    /** @type {Map<Topic, Array<() => void>>} */
    this.listeners = new Map();
    /** @type {Set<Topic>} */
    this.dirty = new Set();
    this.scheduled = false;
    this.lookTold = "";
    /**
     * Told when another conversation comes into view.
     *
     * @type {Array<() => void>}
     */
    this.onChoose = [];
  }

  /**
   * The account in view.
   *
   * @returns {AccountState | null}
   */
  get account() {
    return this.state.first();
  }

  /** Its address. */
  get address() {
    return this.account?.account.address ?? null;
  }

  /**
   * @param {Topic[]} topics
   * @param {() => void} draw
   */
  on(topics, draw) {
    for (const topic of topics) this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), draw]);
  }

  /**
   * Has views drawn before the next frame.
   *
   * @param {...Topic} topics
   */
  touch(...topics) {
    for (const topic of topics) this.dirty.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.drawNow());
  }

  /** Draws what is waiting, now. */
  drawNow() {
    this.scheduled = false;
    const draws = new Set([...this.dirty].flatMap((topic) => this.listeners.get(topic) ?? []));
    this.dirty.clear();
    for (const draw of draws) draw();
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [args]
   */
  say(key, args) {
    return this.words.say(key, args);
  }

  /**
   * Brings a conversation into view.
   *
   * @param {string | null} withWhom
   */
  choose(withWhom) {
    this.drafts.flush();
    this.with = withWhom;
    for (const told of this.onChoose) told();
    this.touch("view", "people", "typing");
    this.tellLook();
  }

  /** @param {"list" | "conversation"} pane */
  show(pane) {
    this.pane = pane;
    document.body.dataset["pane"] = pane;
    this.touch("view");
    this.tellLook();
  }

  /** Whether only one of list and conversation has room. */
  get narrow() {
    return matchMedia("(max-width: 639.98px)").matches;
  }

  /** Whether the conversation is on screen at all. */
  get conversationInView() {
    return this.with !== null && (!this.narrow || this.pane === "conversation");
  }

  tellLook() {
    const account = this.address;
    const withWhom = this.conversationInView ? this.with : null;
    const told = `${account}\n${withWhom}`;
    if (told === this.lookTold) return;
    this.lookTold = told;
    look(account, withWhom).catch(reportError);
  }

  /**
   * Asks the shell for something. What it refuses is said as a notice.
   *
   * @param {Action} action
   * @returns {Promise<boolean>} whether it was taken
   */
  async act(action) {
    const account = this.address;
    if (account === null) return false;
    try {
      await act(account, action);
      return true;
    } catch (error) {
      this.complain(account, error);
      return false;
    }
  }

  /**
   * @param {string} account
   * @param {unknown} error a sentence of the shell's
   */
  complain(account, error) {
    const state = this.state.accounts.get(account);
    if (!state) return;
    state.notices.set("refused", String(error));
    state.dismissed.delete("refused");
    this.touch("notices");
  }

  /**
   * Says something to screen readers.
   *
   * @param {string} text
   */
  announce(text) {
    const status = document.getElementById("status");
    if (status) status.textContent = text;
  }
}
