// @ts-check
/**
 * What is typed and not sent, kept per conversation: given to the shell when typing rests for a moment, and at once
 * when the conversation or the window is left. The clock is passed in, so that tests have their own.
 *
 * @typedef {{ set: (work: () => void, milliseconds: number) => unknown, clear: (timer: any) => void }} Clock
 */

/** So long typing rests before a draft is kept. */
export const REST = 400;

/** @type {Clock} */
const REAL = { set: (work, after) => setTimeout(work, after), clear: (timer) => clearTimeout(timer) };

/** Drafts on their way to the shell. */
export class Drafts {
  /**
   * @param {(account: string, to: string, text: string) => void} keep
   * @param {Clock} clock
   */
  constructor(keep, clock = REAL) {
    this.keep = keep;
    this.clock = clock;
    /**
     * What the shell was given last, or told of.
     *
     * @type {Map<string, string>}
     */
    this.kept = new Map();
    /** @type {{ account: string, to: string, text: string, timer: unknown } | null} */
    this.waiting = null;
  }

  /**
   * @param {string} account
   * @param {string} to
   */
  static key(account, to) {
    return `${account}\n${to}`;
  }

  /**
   * The shell told of a draft. What is being typed here is newer.
   *
   * @param {string} account
   * @param {string} to
   * @param {string} text
   */
  told(account, to, text) {
    this.kept.set(Drafts.key(account, to), text);
  }

  /**
   * @param {string} account
   * @param {string} to
   * @param {string} text as it stands now
   */
  typed(account, to, text) {
    if (this.waiting && (this.waiting.account !== account || this.waiting.to !== to)) this.flush();
    if (this.waiting) this.clock.clear(this.waiting.timer);
    this.waiting = { account, to, text, timer: this.clock.set(() => this.flush(), REST) };
  }

  /**
   * It was sent: there is no draft any more, and none is on its way.
   *
   * @param {string} account
   * @param {string} to
   */
  sent(account, to) {
    if (this.waiting && this.waiting.account === account && this.waiting.to === to) {
      this.clock.clear(this.waiting.timer);
      this.waiting = null;
    }
    this.give(account, to, "");
  }

  /** Keeps what is waiting, now. */
  flush() {
    const waiting = this.waiting;
    if (!waiting) return;
    this.clock.clear(waiting.timer);
    this.waiting = null;
    this.give(waiting.account, waiting.to, waiting.text);
  }

  /**
   * The draft as last typed or told.
   *
   * @param {string} account
   * @param {string} to
   */
  current(account, to) {
    if (this.waiting && this.waiting.account === account && this.waiting.to === to) return this.waiting.text;
    return this.kept.get(Drafts.key(account, to)) ?? "";
  }

  /**
   * The account was signed out: nothing of it stays, nor is anything on its way.
   *
   * @param {string} account
   */
  forget(account) {
    if (this.waiting?.account === account) {
      this.clock.clear(this.waiting.timer);
      this.waiting = null;
    }
    for (const key of this.kept.keys()) if (key.startsWith(`${account}\n`)) this.kept.delete(key);
  }

  /**
   * @param {string} account
   * @param {string} to
   * @param {string} text
   */
  give(account, to, text) {
    const key = Drafts.key(account, to);
    if ((this.kept.get(key) ?? "") === text) return;
    this.kept.set(key, text);
    this.keep(account, to, text);
  }
}
