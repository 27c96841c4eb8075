// @ts-check
/**
 * The way to the shell, and the only file that knows it is Tauri: questions go by `invoke`, events come by one
 * channel in the order they were sent.
 *
 * Tauri's own API object stays off (`withGlobalTauri`): what is used of its internals are three functions.
 *
 * @typedef {import("./protocol.js").Event} ShellEvent
 * @typedef {import("./protocol.js").Account} Account
 * @typedef {import("./protocol.js").Action} Action
 * @typedef {import("./protocol.js").CheckWish} CheckWish
 * @typedef {import("./protocol.js").ConnectionCheck} ConnectionCheck
 * @typedef {import("./protocol.js").ConnectionReport} ConnectionReport
 * @typedef {import("./protocol.js").Metrics} Metrics
 * @typedef {import("./protocol.js").WhenClosed} WhenClosed
 * @typedef {import("./protocol.js").Desktop} Desktop
 * @typedef {import("./protocol.js").DesktopWish} DesktopWish
 * @typedef {import("./protocol.js").CrashReport} CrashReport
 * @typedef {import("./protocol.js").FrameDetail} FrameDetail
 * @typedef {import("./protocol.js").FrameFormat} FrameFormat
 * @typedef {import("./protocol.js").FrameLog} FrameLog
 * @typedef {import("./protocol.js").Part} Part
 * @typedef {import("./protocol.js").Stretch} Stretch
 * @typedef {import("./protocol.js").Proxy} Proxy
 * @typedef {import("./protocol.js").Refusal} Refusal
 * @typedef {import("./protocol.js").UpdateWish} UpdateWish
 *
 * @typedef {object} Internals
 * @property {(command: string, args?: Record<string, unknown>) => Promise<any>} invoke
 * @property {(callback: (raw: any) => void, once?: boolean) => number} transformCallback
 * @property {(id: number) => void} unregisterCallback
 */

/** @returns {Internals} */
function internals() {
  return /** @type {any} */ (window).__TAURI_INTERNALS__;
}

/**
 * Puts what arrives out of order back into it: each message of a channel carries its number, from 0.
 *
 * @param {(message: any) => void} deliver
 * @returns {(raw: { index: number, message?: any, end?: boolean }) => void}
 */
export function inOrder(deliver) {
  let next = 0;
  /** @type {Map<number, any>} */
  const early = new Map();
  return (raw) => {
    if (raw.end) return;
    early.set(raw.index, raw.message);
    while (early.has(next)) {
      const message = early.get(next);
      early.delete(next);
      next += 1;
      try {
        deliver(message);
      } catch (error) {
        // One event that can't be drawn must not hold back those behind it.
        reportError(error);
      }
    }
  };
}

/**
 * Opens the channel: {@link ShellEvent}s from now on.
 *
 * @param {(event: ShellEvent) => void} handler
 * @returns {Promise<void>}
 */
export function open(handler) {
  const id = internals().transformCallback(inOrder(handler));
  return internals().invoke("open", { events: `__CHANNEL__:${id}` });
}

/**
 * Resolves when the account is signed in; rejects with a {@link Refusal}.
 *
 * @param {string} address
 * @param {string} password
 * @param {string | null} endpoint
 * @param {Proxy} proxy
 * @returns {Promise<Account>}
 */
export function signIn(address, password, endpoint, proxy) {
  return internals().invoke("sign_in", { address, password, endpoint, proxy });
}

/**
 * Gives an account the password it wants; rejects with a {@link Refusal}.
 *
 * @param {string} account
 * @param {string} password
 * @returns {Promise<void>}
 */
export function unlock(account, password) {
  return internals().invoke("unlock", { account, password });
}

/**
 * @param {string} account
 * @param {boolean} forget the cached messages too
 * @returns {Promise<void>}
 */
export function signOut(account, forget) {
  return internals().invoke("sign_out", { account, forget });
}

/**
 * A part of a conversation from the cache.
 *
 * @param {string} account
 * @param {string} withWhom
 * @param {Part} part
 * @param {number} limit
 * @returns {Promise<Stretch>}
 */
export function stretch(account, withWhom, part, limit) {
  return internals().invoke("stretch", { account, with: withWhom, part, limit });
}

/**
 * What is known of an account's connection and its last week.
 *
 * @param {string} account
 * @returns {Promise<ConnectionReport>}
 */
export function connectionReport(account) {
  return internals().invoke("connection_report", { account });
}

/**
 * Begins a check of an account's connection, ends it, or just tells of the last one, if there was any. How it goes on comes as events.
 *
 * @param {string} account
 * @param {CheckWish} wish
 * @returns {Promise<ConnectionCheck | null>}
 */
export function checkConnection(account, wish) {
  return internals().invoke("check_connection", { account, wish });
}

/**
 * The last check as a text that can be given away.
 *
 * @param {string} account
 * @param {boolean} withServer whether the server's name may be in it
 * @returns {Promise<string>}
 */
export function checkReport(account, withServer) {
  return internals().invoke("check_report", { account, withServer });
}

/**
 * Whether metrics are given out.
 *
 * @returns {Promise<Metrics>}
 */
export function metrics() {
  return internals().invoke("metrics");
}

/**
 * Gives out metrics at this port of this computer, or no longer; rejects with a sentence.
 *
 * @param {number | null} port
 * @returns {Promise<Metrics>}
 */
export function giveOutMetrics(port) {
  return internals().invoke("give_out_metrics", { port });
}

/**
 * Has the server asked whether it is there after so many seconds of silence; null: as each network allows.
 *
 * @param {string} account
 * @param {number | null} seconds
 * @returns {Promise<void>}
 */
export function askAfter(account, seconds) {
  return internals().invoke("set_interval", { account, seconds });
}

/**
 * Notes so much of each frame that passes from now on.
 *
 * @param {string} account
 * @param {FrameDetail} detail
 * @returns {Promise<void>}
 */
export function noteFrames(account, detail) {
  return internals().invoke("note_frames", { account, detail });
}

/**
 * The latest frames noted whose kind holds a word.
 *
 * @param {string} account
 * @param {string} word
 * @returns {Promise<FrameLog>}
 */
export function frames(account, word) {
  return internals().invoke("frames", { account, word });
}

/**
 * Writes the frames noted into a file; resolves to its path.
 *
 * @param {string} account
 * @param {FrameFormat} format
 * @returns {Promise<string>}
 */
export function exportFrames(account, format) {
  return internals().invoke("export_frames", { account, format });
}

/**
 * A report for whoever mends the program, without names, messages or secrets.
 *
 * @param {string} account
 * @returns {Promise<string>}
 */
export function bugReport(account) {
  return internals().invoke("bug_report", { account });
}

/**
 * The report of the latest crash, if there is one.
 *
 * @returns {Promise<CrashReport | null>}
 */
export function crash() {
  return internals().invoke("crash");
}

/**
 * Removes the reports of crashes up to a moment.
 *
 * @param {number} to
 * @returns {Promise<void>}
 */
export function forgetCrashes(to) {
  return internals().invoke("forget_crashes", { to });
}

/**
 * @param {string} account
 * @param {Action} action
 * @returns {Promise<void>}
 */
export function act(account, action) {
  return internals().invoke("act", { account, action });
}

/**
 * Opens a link outside. The shell looks at its scheme again.
 *
 * @param {string} url
 * @returns {Promise<void>}
 */
export function openLink(url) {
  return internals().invoke("open_link", { url });
}

/**
 * Tells which conversation is in view.
 *
 * @param {string | null} account
 * @param {string | null} withWhom
 * @returns {Promise<void>}
 */
export function look(account, withWhom) {
  return internals().invoke("look", { account, with: withWhom });
}

/**
 * What closing the window means where there is no tray, now and from now on; null: the user has chosen nothing.
 *
 * @param {WhenClosed | null} means
 * @returns {Promise<void>}
 */
export function closing(means) {
  return internals().invoke("closing", { means });
}

/**
 * How Dormouse sits on the desktop.
 *
 * @returns {Promise<Desktop>}
 */
export function desktop() {
  return internals().invoke("desktop");
}

/**
 * Changes how Dormouse sits on the desktop; rejects with a sentence.
 *
 * @param {DesktopWish} wish
 * @returns {Promise<Desktop>}
 */
export function setDesktop(wish) {
  return internals().invoke("set_desktop", { wish });
}

/**
 * Notifies of what comes in a conversation no longer, or again.
 *
 * @param {string} account
 * @param {string} withWhom
 * @param {boolean} muted
 * @returns {Promise<void>}
 */
export function mute(account, withWhom, muted) {
  return internals().invoke("mute", { account, with: withWhom, muted });
}

/**
 * What the user wants with the new version that is offered; rejects with a sentence.
 *
 * @param {UpdateWish} wish
 * @returns {Promise<void>}
 */
export function update(wish) {
  return internals().invoke("update", { wish });
}

/**
 * Ends the program.
 *
 * @returns {Promise<void>}
 */
export function quit() {
  return internals().invoke("quit");
}

/**
 * What a rejected question says, as a {@link Refusal}.
 *
 * @param {unknown} error
 * @returns {Refusal}
 */
export function refusal(error) {
  if (error !== null && typeof error === "object" && "sentence" in error) {
    return /** @type {Refusal} */ (error);
  }
  return { field: null, sentence: String(error) };
}
