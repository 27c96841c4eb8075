// @ts-check
/**
 * The shape of the window: list and conversation side by side, the boundary movable; under 640 px one of the two. Chip, banner,
 * notices and the new version go where the eye is, as the same elements.
 *
 * @typedef {import("../app.js").App} App
 */
import { find } from "./element.js";

const NARROWEST = 220;
const WIDEST = 480;
const FIRST = 300;
const STEP = 16;
/** Only a number is kept here; it tells nobody anything. */
const KEPT = "list-width";

/** @param {App} app */
export function mountLayout(app) {
  const divider = find("#divider");
  const session = find("#session");
  const chip = find("#connection");
  const banner = find("#banner");
  const notices = find("#notices");
  const update = find("#update");
  let width = kept();

  function apply() {
    session.style.setProperty("--list-width", `${width}px`);
    divider.setAttribute("aria-valuenow", String(width));
    divider.setAttribute("aria-valuemin", String(NARROWEST));
    divider.setAttribute("aria-valuemax", String(WIDEST));
  }

  /** @param {number} to */
  function resize(to) {
    width = Math.round(Math.min(WIDEST, Math.max(NARROWEST, to)));
    apply();
    try {
      localStorage.setItem(KEPT, String(width));
    } catch {
      // A window that may keep nothing starts with the usual width.
    }
  }

  function place() {
    const inList = app.narrow && app.pane === "list";
    const status = find(inList ? "#sidebar-status" : "#conversation-status");
    const chipPlace = inList ? status : find("#header-chip");
    const updatePlace = app.account === null ? find("#sign-in-status") : status;
    const focused = document.activeElement;
    if (chip.parentElement !== chipPlace) chipPlace.prepend(chip);
    if (banner.parentElement !== status) status.append(banner, notices);
    // The last of them: it waits.
    if (update.parentElement !== updatePlace || update.nextElementSibling !== null) updatePlace.append(update);
    if (focused instanceof HTMLElement && document.activeElement !== focused && focused.isConnected) focused.focus();
  }

  divider.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    divider.setPointerCapture(event.pointerId);
    divider.classList.add("moving");
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) resize(event.clientX - session.getBoundingClientRect().left);
  });
  divider.addEventListener("lostpointercapture", () => divider.classList.remove("moving"));
  divider.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: width - STEP, ArrowRight: width + STEP, Home: NARROWEST, End: WIDEST };
    const wanted = to[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    resize(wanted);
  });
  divider.addEventListener("dblclick", () => resize(FIRST));
  matchMedia("(max-width: 639.98px)").addEventListener("change", () => {
    if (app.narrow && app.with !== null && find("#conversation").contains(document.activeElement)) app.show("conversation");
    else app.show(app.narrow && app.with === null ? "list" : app.pane);
  });
  apply();
  app.on(["view", "accounts"], place);
}

/** The width of last time. */
function kept() {
  try {
    const value = Number(localStorage.getItem(KEPT));
    return value >= NARROWEST && value <= WIDEST ? value : FIRST;
  } catch {
    return FIRST;
  }
}
