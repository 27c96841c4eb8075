// @ts-check
/** Times of a day: minutes since midnight to the shell, `HH:MM` in the page. */

/** @param {number} minutes */
export function timeOf(minutes) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/**
 * @param {string} time
 * @returns {number | null} nothing while it is half typed
 */
export function minutesOf(time) {
  const found = /^([01]\d|2[0-3]):([0-5]\d)/u.exec(time);
  return found ? Number(found[1]) * 60 + Number(found[2]) : null;
}
