// @ts-check
/**
 * How the connection is said: which words stand in the chip, which sentence in the banner, and when. What is over in
 * 300 ms is not shown; good news is, at once.
 *
 * @typedef {import("./protocol.js").Connection} Connection
 * @typedef {import("./protocol.js").ConnectionState} ConnectionState
 * @typedef {{ key: string, args: Record<string, string | number> }} Said
 *
 * @typedef {object} Look
 * @property {ConnectionState} state
 * @property {Said} chip the two or three words
 * @property {Said | null} banner the sentence; none while nobody is affected
 * @property {string | null} cause a sentence of the shell's before it
 * @property {boolean} retry there is something to cut short
 * @property {boolean} password only a password helps
 */

/** What is over within this is not shown, in milliseconds. */
export const SETTLE = 300;

/**
 * Whole seconds until then, at least one: "in 0 s" is no time to give.
 *
 * @param {number} then
 * @param {number} now
 */
export function secondsUntil(then, now) {
  return Math.max(1, Math.ceil((then - now) / 1000));
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [args]
 * @returns {Said}
 */
function said(key, args = {}) {
  return { key, args };
}

/**
 * How the connection looks at this moment.
 *
 * @param {Connection} connection
 * @param {{ stored: number, expected: number | null } | null} catchUp
 * @param {number | null} asleepSince
 * @param {string | null} wantsPassword why the account wants its password, in a sentence
 * @param {number} now milliseconds since 1970
 * @param {(at: number) => string} time
 * @returns {Look}
 */
export function looks(connection, catchUp, asleepSince, wantsPassword, now, time) {
  const { state } = connection;
  const slept = asleepSince === null ? null : time(asleepSince);
  /** @type {Look} */
  const look = {
    state,
    chip: said(`ui-connection-${state}`),
    banner: null,
    cause: null,
    retry: false,
    password: wantsPassword !== null || (state === "stopped" && connection.passwordRefused),
  };
  switch (state) {
    case "live":
      break;
    case "asleep":
      look.banner = said("ui-banner-asleep", { since: time(connection.since) });
      break;
    case "offline":
      look.banner = said("ui-banner-offline");
      break;
    case "connecting":
    case "signing-in":
      look.banner = slept === null ? said("ui-banner-connecting") : said("ui-banner-asleep-connecting", { since: slept });
      break;
    case "catching-up":
      look.banner = catchingUp(catchUp, slept);
      break;
    case "suspect":
      look.banner = said("ui-banner-suspect");
      break;
    case "waiting": {
      const at = connection.retryAt;
      look.cause = connection.cause;
      look.banner = at === null ? said("ui-banner-waiting") : said("ui-banner-back-in", { n: secondsUntil(at, now) });
      look.retry = true;
      break;
    }
    case "stopped":
      look.cause = connection.cause;
      look.banner = look.password ? said("ui-banner-sign-in-again") : said("ui-banner-stopped");
      look.retry = !look.password;
      break;
  }
  if (wantsPassword !== null) {
    look.cause = wantsPassword;
    look.banner = said("ui-banner-sign-in-again");
    look.retry = false;
  }
  return look;
}

/**
 * @param {{ stored: number, expected: number | null } | null} catchUp
 * @param {string | null} slept
 */
function catchingUp(catchUp, slept) {
  const key = slept === null ? "ui-banner-catching-up" : "ui-banner-asleep-catching-up";
  /** @type {Record<string, string | number>} */
  const args = slept === null ? {} : { since: slept };
  if (catchUp === null || catchUp.stored === 0) return said(key, args);
  if (catchUp.expected === null || catchUp.expected < catchUp.stored) {
    return said(`${key}-some`, { ...args, n: catchUp.stored });
  }
  return said(`${key}-of`, { ...args, stored: catchUp.stored, n: catchUp.expected });
}

/**
 * Holds back what may be over in a moment. Another state than the one shown is shown once the two have differed for
 * {@link SETTLE}, whichever it is by then; that all is well is shown at once, and so is the first state of all.
 */
export class Settling {
  constructor() {
    /** @type {string | null} */
    this.shown = null;
    /**
     * Since when what is differs from what is shown.
     *
     * @type {number | null}
     */
    this.since = null;
  }

  /**
   * @param {string} state what is
   * @param {boolean} well there is nothing to tell
   * @param {number} now
   * @returns {number | null} after how many milliseconds to ask again; null: what is may be shown
   */
  ask(state, well, now) {
    if (well || this.shown === null || this.shown === state) {
      this.shown = state;
      this.since = null;
      return null;
    }
    this.since ??= now;
    const left = this.since + SETTLE - now;
    if (left > 0) return left;
    this.shown = state;
    this.since = null;
    return null;
  }
}
