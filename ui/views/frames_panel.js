// @ts-check
/**
 * The frames that pass, behind a button of the connection's panel: switched on and off, looked through by kind, saved as a file.
 *
 * They are read once a second while they are in view: pushing each of them to a window that is seldom looked at would
 * make frames of frames.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").Frame} Frame
 * @typedef {import("../protocol.js").FrameDetail} FrameDetail
 * @typedef {import("../protocol.js").FrameFormat} FrameFormat
 * @typedef {import("../protocol.js").FrameLog} FrameLog
 */
import { exportFrames, frames, noteFrames } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find, make, setText } from "./element.js";

/** How often they are read, in milliseconds. */
const OFTEN = 1000;

/** @param {App} app */
export function mountFramesPanel(app) {
  const panel = dialog("#frames-panel");
  const list = find("#frames-list");
  const filter = /** @type {HTMLInputElement} */ (find("#frames-filter"));
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  let asked = 0;

  /** @param {unknown} error */
  function complain(error) {
    const place = find("#frames-error");
    setText(place, error === null ? "" : String(error));
    place.hidden = error === null;
  }

  /**
   * Asks the shell about the account in view; what went wrong is said in the panel.
   *
   * @param {(account: string) => Promise<void>} ask
   */
  async function tried(ask) {
    const account = app.address;
    if (!panel.open || account === null) return;
    try {
      await ask(account);
      complain(null);
    } catch (error) {
      complain(error);
    }
  }

  function read() {
    return tried(async (account) => {
      asked += 1;
      const mine = asked;
      const log = await frames(account, filter.value.trim());
      // An answer that was overtaken by a later one is old.
      if (mine === asked) draw(log);
    });
  }

  /** @param {FrameLog} log */
  function draw(log) {
    for (const choice of panel.querySelectorAll("input[name='frames-detail']")) {
      const radio = /** @type {HTMLInputElement} */ (choice);
      radio.checked = radio.value === log.detail;
    }
    find("#frames-noted").hidden = log.detail === "off";
    const { count } = log;
    const shown = log.frames.length;
    const words = count > shown
      ? app.say("ui-frames-shown", { n: shown, all: app.words.numbers.format(count) })
      : app.say("ui-frames-count", { n: count });
    setText(find("#frames-count"), count === 0 ? app.say("ui-frames-none") : words);
    list.hidden = count === 0;
    // Whoever has scrolled back reads on where they are; at the end one stays at the end.
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    list.replaceChildren(...log.frames.map(line));
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  /** @param {Frame} frame */
  function line(frame) {
    const way = app.say(frame.out ? "ui-frames-out" : "ui-frames-in");
    return make("li", { class: frame.out ? "out" : "in" },
      make("time", { datetime: new Date(frame.at).toISOString() }, clockTime(frame.at)),
      make("span", { class: "connection" }, `#${frame.connection}`),
      make("span", { class: "way", title: way, role: "img", "aria-label": way }, frame.out ? "→" : "←"),
      make("span", { class: "size" }, app.say("ui-frames-bytes", { n: frame.size })),
      make("strong", {}, frame.opcode === "text" ? frame.name : `[${frame.name}]`),
      frame.content !== null && make("code", { dir: "ltr" }, frame.content),
    );
  }

  /** @param {FrameFormat} format */
  function save(format) {
    return tried(async (account) => {
      const path = await exportFrames(account, format);
      setText(find("#frames-saved"), app.say("ui-frames-saved", { path }));
    });
  }

  find("#frames-open").addEventListener("click", () => {
    complain(null);
    setText(find("#frames-saved"), "");
    panel.showModal();
    find("#frames-close").focus();
    void read();
    clock = setInterval(read, OFTEN);
  });
  panel.addEventListener("close", () => clearInterval(clock));
  find("#frames-close").addEventListener("click", () => panel.close());
  filter.addEventListener("input", () => void read());
  for (const choice of panel.querySelectorAll("input[name='frames-detail']")) {
    choice.addEventListener("change", () => void tried(async (account) => {
      const { value } = /** @type {HTMLInputElement} */ (choice);
      await noteFrames(account, /** @type {FrameDetail} */ (value));
      await read();
    }));
  }
  find("#frames-save-text").addEventListener("click", () => void save("text"));
  find("#frames-save-pcapng").addEventListener("click", () => void save("pcapng"));
  app.on(["accounts"], () => {
    if (app.account === null && panel.open) panel.close();
  });
}

/**
 * A time of the day to the millisecond, as it is compared with other logs on this computer.
 *
 * @param {number} at
 */
function clockTime(at) {
  const moment = new Date(at);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const seconds = `${two(moment.getSeconds())}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${seconds}`;
}
