// @ts-check
/**
 * The connection explained, behind the chip: what it is and since when, where it leads and how well it answers, what its
 * history shows, a picture of the last hour, day or week, when it was lost, and each change one by one. While it is
 * open it is read anew whenever the connection changes or the server answers; only "how long ago" runs by itself.
 *
 * @typedef {import("../app.js").App} App
 * @typedef {import("../protocol.js").ConnectionReport} ConnectionReport
 */
import { bars, byHour, RANGES, span, sums } from "../connection_history.js";
import { askAfter, connectionReport } from "../shell.js";
import { dialog } from "./dialogs.js";
import { find, make, setText } from "./element.js";

const SVG = "http://www.w3.org/2000/svg";

/** Intervals that can be chosen, in seconds; the shell takes 5 to 25. */
const INTERVALS = [5, 10, 15, 20, 25];

/** @param {App} app */
export function mountConnectionPanel(app) {
  const panel = dialog("#connection-panel");
  const chip = find("#connection");
  const interval = /** @type {HTMLSelectElement} */ (find("#interval-choice"));
  const picture = /** @type {SVGSVGElement & Element} */ (/** @type {unknown} */ (find("#history-picture")));
  /** @type {ConnectionReport | null} */
  let report = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  let asked = 0;

  function range() {
    const chosen = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name='history-range']:checked"));
    return RANGES[/** @type {keyof typeof RANGES} */ (chosen?.value ?? "day")];
  }

  /** @param {number} length */
  function lasted(length) {
    const { key, args } = span(length);
    return app.say(key, args);
  }

  async function read() {
    const account = app.address;
    if (!panel.open || account === null) return;
    asked += 1;
    const mine = asked;
    try {
      const answer = await connectionReport(account);
      // An answer that was overtaken by a later one is old.
      if (mine !== asked) return;
      report = answer;
      find("#connection-error").hidden = true;
    } catch (error) {
      setText(find("#connection-error"), String(error));
      find("#connection-error").hidden = false;
    }
    draw();
  }

  function draw() {
    if (!panel.open) return;
    if (app.account === null) {
      panel.close();
      return;
    }
    drawState();
    drawFacts();
    drawInterval();
    drawFindings();
    drawPicture();
    drawLosses();
    drawChanges();
  }

  function drawState() {
    const connection = app.account?.connection;
    if (!connection) return;
    const state = app.say(`ui-connection-${connection.state}`);
    const since = app.say("ui-since", { time: app.words.since(connection.since, Date.now()) });
    setText(find("#connection-now"), `${state} ${since} ${connection.cause}`.trim());
  }

  function drawFacts() {
    const path = report?.path;
    const trip = app.account?.roundTrip;
    const now = Date.now();
    /** @type {Array<[string, string, string]>} */
    const facts = [];
    if (path) {
      facts.push(["connection-endpoint", "ui-path-endpoint", path.endpoint]);
      facts.push(["connection-peer", "ui-path-peer", path.peer]);
      facts.push(["connection-tls", "ui-path-tls", path.tls ?? app.say("ui-path-tls-none")]);
      if (path.mechanism !== null) facts.push(["connection-mechanism", "ui-path-mechanism", path.mechanism]);
      if (path.resumed !== null) {
        facts.push(["connection-session", "ui-path-session", app.say(path.resumed ? "ui-path-resumed" : "ui-path-fresh")]);
      }
    }
    if (trip) {
      const args = { now: trip.now, median: trip.median, worst: trip.worst };
      facts.push(["connection-round-trip", "ui-path-round-trip", app.say("ui-path-round-trip-is", args)]);
    }
    if (report && path) {
      const heard = Math.max(path.heard, trip?.at ?? 0);
      const late = app.account?.connection?.state === "suspect";
      const ago = app.say(late ? "ui-path-heard-late" : "ui-path-ago", { span: lasted(now - heard) });
      facts.push(["connection-heard", "ui-path-heard", ago]);
      const key = report.intervalLearnt ? "ui-path-interval-learnt" : "ui-path-interval-is";
      facts.push(["connection-interval", "ui-path-interval", app.say(key, { n: report.interval })]);
    }
    const list = find("#connection-facts");
    const drawn = facts.map(([id]) => id).join();
    if (list.dataset["drawn"] === drawn) {
      for (const [id, , value] of facts) setText(find(`#${id}`), value);
      return;
    }
    list.dataset["drawn"] = drawn;
    list.replaceChildren(...facts.flatMap(([id, key, value]) => [
      make("dt", {}, app.say(key)),
      make("dd", { id, dir: "auto" }, value),
    ]));
  }

  function drawInterval() {
    const given = report?.intervalGiven ?? null;
    const all = given === null || INTERVALS.includes(given) ? INTERVALS : [...INTERVALS, given].sort((a, b) => a - b);
    // A list that somebody has open is left alone.
    if (interval.dataset["drawn"] !== all.join()) {
      interval.dataset["drawn"] = all.join();
      interval.replaceChildren(
        make("option", { value: "" }, app.say("ui-interval-by-itself")),
        ...all.map((n) => make("option", { value: n }, app.say("ui-interval-seconds", { n }))),
      );
    }
    interval.value = given === null ? "" : String(given);
  }

  function drawFindings() {
    const section = find("#connection-findings");
    const findings = report?.findings ?? [];
    section.hidden = findings.length === 0;
    find("ul", section).replaceChildren(...findings.map((text) => make("li", {}, text)));
  }

  function drawPicture() {
    const to = Date.now();
    const from = to - range();
    const stretches = report?.stretches ?? [];
    picture.replaceChildren(...bars(stretches, from, to).map((bar) => {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", `stretch ${bar.kind}`);
      rect.setAttribute("x", (bar.start * 1000).toFixed(2));
      rect.setAttribute("y", "0");
      rect.setAttribute("width", (bar.width * 1000).toFixed(2));
      rect.setAttribute("height", "40");
      const title = document.createElementNS(SVG, "title");
      title.textContent = `${app.say(`ui-history-${bar.kind}`)}, ${app.words.since(bar.from, to)} – ${app.words.since(bar.to, to)}. ${bar.cause}`;
      rect.append(title);
      return rect;
    }));
    const all = sums(stretches, from, to);
    const words = all.map((sum) => `${app.say(`ui-history-${sum.kind}`)} ${lasted(sum.length)}`);
    picture.setAttribute("aria-label", words.length > 0 ? words.join(", ") : app.say("ui-history-nothing"));
    find("#history-legend").replaceChildren(...all.map((sum, n) => make("li", { "data-kind": sum.kind },
      make("span", { class: "swatch", "aria-hidden": "true" }), words[n] ?? "")));
    setText(find("#history-from"), app.words.since(from, to));
    setText(find("#history-to"), app.words.time(to));
  }

  function drawLosses() {
    const hours = byHour(report?.drops ?? []);
    find("#connection-losses").hidden = hours.length === 0;
    find("#connection-losses tbody").replaceChildren(...hours.map(({ hour, count, manners }) => make("tr", {},
      make("th", { scope: "row" }, `${String(hour).padStart(2, "0")}:00`),
      make("td", {}, app.words.numbers.format(count)),
      make("td", {}, manners.map((each) => `${each.manner} × ${app.words.numbers.format(each.count)}`).join(", ")),
    )));
  }

  function drawChanges() {
    const now = Date.now();
    find("#connection-changes").replaceChildren(...(report?.transitions ?? []).map((change) => make("li", {},
      make("time", { datetime: new Date(change.at).toISOString() }, app.words.exactly(change.at, now)),
      make("strong", {}, app.say(`ui-connection-${change.state}`)),
      make("span", { dir: "auto" }, [change.cause, ...change.more].join(" ")),
    )));
  }

  chip.addEventListener("click", () => {
    report = null;
    panel.showModal();
    draw();
    find("#connection-close").focus();
    void read();
    clock = setInterval(drawFacts, 1000);
  });
  panel.addEventListener("close", () => clearInterval(clock));
  find("#connection-close").addEventListener("click", () => panel.close());
  interval.addEventListener("change", async () => {
    const account = app.address;
    if (account === null) return;
    try {
      await askAfter(account, interval.value === "" ? null : Number(interval.value));
    } catch (error) {
      app.complain(account, error);
    }
    void read();
  });
  for (const choice of document.querySelectorAll("input[name='history-range']")) {
    choice.addEventListener("change", drawPicture);
  }
  app.on(["connection", "path", "accounts"], () => void read());
}
