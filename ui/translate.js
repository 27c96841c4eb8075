// @ts-check
/**
 * The window's words: a catalogue that came with the shell's first event, plural forms by `Intl.PluralRules` on the
 * argument `n`, and times and numbers as the language writes them.
 *
 * @typedef {import("./protocol.js").Text} Text
 */

const DAY = 24 * 60 * 60 * 1000;

/** Text that might run from right to left, or steer the direction of what is around it. */
const NEEDS_ISOLATION = /[^\u0000-\u024f]/u;

/**
 * A value as it stands in a sentence: a text of foreign direction can't turn what surrounds it.
 *
 * @param {string} value
 */
function isolated(value) {
  return NEEDS_ISOLATION.test(value) ? `\u2068${value}\u2069` : value;
}

/** Everything that depends on the language. */
export class Words {
  /**
   * @param {string} language BCP 47
   * @param {Record<string, Text>} texts
   */
  constructor(language, texts) {
    this.language = known(language);
    this.texts = texts;
    this.rules = new Intl.PluralRules(this.language);
    this.numbers = new Intl.NumberFormat(this.language);
    this.collator = new Intl.Collator(this.language, { sensitivity: "base", numeric: true });
    this.clock = new Intl.DateTimeFormat(this.language, { timeStyle: "short" });
    this.second = new Intl.DateTimeFormat(this.language, { timeStyle: "medium" });
    this.weekday = new Intl.DateTimeFormat(this.language, { weekday: "short" });
    this.shortDate = new Intl.DateTimeFormat(this.language, { day: "numeric", month: "short" });
    this.numericDate = new Intl.DateTimeFormat(this.language, { day: "2-digit", month: "2-digit", year: "2-digit" });
    this.longDay = new Intl.DateTimeFormat(this.language, { weekday: "long", day: "numeric", month: "long" });
    this.longDate = new Intl.DateTimeFormat(this.language, {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
    });
    this.full = new Intl.DateTimeFormat(this.language, { dateStyle: "full", timeStyle: "short" });
    this.relative = new Intl.RelativeTimeFormat(this.language, { numeric: "auto" });
  }

  /**
   * The text of a key; a key that is missing stands for itself, so that it is seen.
   *
   * @param {string} key
   * @param {Record<string, string | number>} [args]
   * @returns {string}
   */
  say(key, args = {}) {
    const text = this.texts[key];
    if (text === undefined) return key;
    const n = args["n"];
    const form = typeof n === "number" ? this.rules.select(n) : "other";
    const pattern = text[form] ?? text["other"] ?? key;
    return pattern.replace(/\{\s*\$?([A-Za-z][\w-]*)\s*\}/gu, (whole, name) => {
      const value = args[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? this.numbers.format(value) : isolated(value);
    });
  }

  /** @param {number} at */
  time(at) {
    return this.clock.format(at);
  }

  /** @param {number} at the time with its day, for screen readers and tooltips */
  wholeTime(at) {
    return this.full.format(at);
  }

  /**
   * The heading of a day: "Today", "Yesterday", the weekday and date, with the year if it is another one.
   *
   * @param {number} at
   * @param {number} now
   */
  day(at, now) {
    const ago = daysBetween(at, now);
    if (ago === 0 || ago === 1) return capital(this.relative.format(-ago, "day"), this.language);
    return sameYear(at, now) ? this.longDay.format(at) : this.longDate.format(at);
  }

  /**
   * A time as a list shows it: the hour today, the weekday this week, else the date.
   *
   * @param {number} at
   * @param {number} now
   */
  briefly(at, now) {
    const ago = daysBetween(at, now);
    if (ago <= 0) return this.clock.format(at);
    if (ago < 7) return this.weekday.format(at);
    return sameYear(at, now) ? this.shortDate.format(at) : this.numericDate.format(at);
  }

  /**
   * A time to the second, with the day before that if it was not today.
   *
   * @param {number} at
   * @param {number} now
   */
  exactly(at, now) {
    return daysBetween(at, now) <= 0 ? this.second.format(at) : `${this.shortDate.format(at)}, ${this.second.format(at)}`;
  }

  /**
   * A time in a sentence: the hour alone today, with the day before that.
   *
   * @param {number} at
   * @param {number} now
   */
  since(at, now) {
    return daysBetween(at, now) <= 0 ? this.time(at) : `${this.shortDate.format(at)}, ${this.time(at)}`;
  }
}

/** @param {string} language */
function known(language) {
  try {
    return Intl.getCanonicalLocales(language)[0] ?? "en";
  } catch {
    return "en";
  }
}

/**
 * @param {string} text
 * @param {string} language
 */
function capital(text, language) {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0x20);
  return first.toLocaleUpperCase(language) + text.slice(first.length);
}

/**
 * The local day of a time, as a number that grows by one each day.
 *
 * @param {number} at
 */
export function localDay(at) {
  const date = new Date(at);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY);
}

/**
 * @param {number} earlier
 * @param {number} later
 */
function daysBetween(earlier, later) {
  return localDay(later) - localDay(earlier);
}

/**
 * @param {number} a
 * @param {number} b
 */
function sameYear(a, b) {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
