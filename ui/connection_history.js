// @ts-check
/**
 * The last hour, day or week of a connection, as it is drawn: which part of the picture each stretch takes, how much of
 * each kind there was, and at which hours connections were lost.
 *
 * @typedef {import("./protocol.js").HistoryStretch} HistoryStretch
 * @typedef {import("./protocol.js").StretchKind} StretchKind
 * @typedef {import("./protocol.js").Dropped} Dropped
 * @typedef {{ kind: StretchKind, from: number, to: number, cause: string, start: number, width: number }} Bar
 */

const HOUR = 60 * 60 * 1000;

/** The lengths of time to choose from, in milliseconds. */
export const RANGES = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR };

/** The kinds in the order in which they are listed: from well to not at all. */
export const KINDS = /** @type {StretchKind[]} */ ([
  "live",
  "suspect",
  "away",
  "stopped",
  "offline",
  "asleep",
  "not-running",
]);

/** The least width at which a bar can be seen, as a part of the whole. */
const VISIBLE = 0.003;

/**
 * The stretches within a time, as parts of the whole (0 to 1). One that is too short to be seen is drawn as wide as can
 * be seen, over what is beside it: a drop of two seconds in a week must not vanish.
 *
 * @param {HistoryStretch[]} stretches in order
 * @param {number} from
 * @param {number} to
 * @returns {Bar[]} wide ones first, so that the narrow ones lie on top
 */
export function bars(stretches, from, to) {
  const whole = to - from;
  if (whole <= 0) return [];
  /** @type {Bar[]} */
  const all = [];
  for (const each of stretches) {
    const start = Math.max(each.from, from);
    const end = Math.min(each.to, to);
    if (end < from || start > to || (end === start && each.to !== each.from)) continue;
    const width = Math.max((end - start) / whole, VISIBLE);
    const left = Math.min((start - from) / whole, 1 - width);
    all.push({ kind: each.kind, from: each.from, to: each.to, cause: each.cause, start: left, width });
  }
  return all.sort((a, b) => b.width - a.width);
}

/**
 * How long each kind lasted within a time, in milliseconds; kinds that did not occur are left out.
 *
 * @param {HistoryStretch[]} stretches
 * @param {number} from
 * @param {number} to
 * @returns {Array<{ kind: StretchKind, length: number, times: number }>}
 */
export function sums(stretches, from, to) {
  /** @type {Map<StretchKind, { length: number, times: number }>} */
  const found = new Map();
  for (const each of stretches) {
    const length = Math.min(each.to, to) - Math.max(each.from, from);
    if (length < 0 || (length === 0 && each.to !== each.from)) continue;
    const sum = found.get(each.kind) ?? { length: 0, times: 0 };
    found.set(each.kind, { length: sum.length + length, times: sum.times + 1 });
  }
  return KINDS.flatMap((kind) => {
    const sum = found.get(kind);
    return sum ? [{ kind, ...sum }] : [];
  });
}

/**
 * How many connections were lost at each hour of the day, where the reader lives, and how.
 *
 * @param {Dropped[]} drops
 * @param {(at: number) => number} [hourOf] 0 to 23
 * @returns {Array<{ hour: number, count: number, manners: Array<{ manner: string, count: number }> }>} hours at which
 *   there were any, in order; the most frequent manner first
 */
export function byHour(drops, hourOf = (at) => new Date(at).getHours()) {
  /** @type {Map<number, Map<string, number>>} */
  const hours = new Map();
  for (const drop of drops) {
    const hour = hourOf(drop.at);
    const manners = hours.get(hour) ?? new Map();
    manners.set(drop.manner, (manners.get(drop.manner) ?? 0) + 1);
    hours.set(hour, manners);
  }
  return [...hours].sort(([a], [b]) => a - b).map(([hour, found]) => {
    const manners = [...found].map(([manner, count]) => ({ manner, count }));
    manners.sort((a, b) => b.count - a.count || (a.manner < b.manner ? -1 : 1));
    return { hour, count: manners.reduce((sum, each) => sum + each.count, 0), manners };
  });
}

/**
 * A length of time in its two largest units.
 *
 * @param {number} length in milliseconds
 * @returns {{ key: string, args: Record<string, number> }}
 */
export function span(length) {
  const seconds = Math.max(0, Math.round(length / 1000));
  if (seconds < 60) return { key: "ui-span-seconds", args: { s: seconds } };
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return { key: "ui-span-minutes", args: { m: minutes, s: seconds % 60 } };
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return { key: "ui-span-hours", args: { h: hours, m: minutes % 60 } };
  return { key: "ui-span-days", args: { d: Math.floor(hours / 24), h: hours % 24 } };
}
