// @ts-check
/**
 * What a message's text is made of: plain text and links, nothing else. Nothing here makes markup; views make text
 * nodes and anchors of the tokens.
 *
 * @typedef {{ kind: "text", text: string } | { kind: "link", text: string, url: string }} Token
 */

/**
 * Candidates of links: a scheme that the shell opens, then no space, quote, bracket `<>`, control or direction mark, so that a
 * link can't hide its end.
 */
const CANDIDATE =
  /(?:https?:\/\/|mailto:|xmpp:)[^\s<>"\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/giu;

/** Longer ones stay text. */
const LONGEST_LINK = 2048;

/** Marks that end a sentence rather than a link. */
const TRAILING = /[.,:;!?'’”»…]$/u;

/** Brackets belong to a link only where it opened them. */
const CLOSING = /** @type {Record<string, string>} */ ({ ")": "(", "]": "[", "}": "{" });

/**
 * @param {string} text
 * @param {string} letter
 */
function count(text, letter) {
  let found = 0;
  for (const each of text) if (each === letter) found += 1;
  return found;
}

/**
 * A candidate without what follows a link in a sentence.
 *
 * @param {string} candidate
 */
function trimmed(candidate) {
  let link = candidate;
  for (;;) {
    const last = link.slice(-1);
    const opening = CLOSING[last];
    if (TRAILING.test(link)) link = link.slice(0, -1);
    else if (opening !== undefined && count(link, last) > count(link, opening)) link = link.slice(0, -1);
    else return link;
  }
}

/**
 * The address that a link leads to, or nothing if it is none that may be opened.
 *
 * @param {string} link
 * @returns {string | null}
 */
export function linkTarget(link) {
  if (link.length > LONGEST_LINK) return null;
  let url;
  try {
    url = new URL(link);
  } catch {
    return null;
  }
  switch (url.protocol) {
    case "http:":
    case "https:":
      return url.hostname === "" ? null : url.href;
    case "mailto:":
    case "xmpp:":
      return url.pathname === "" ? null : url.href;
    default:
      return null;
  }
}

/**
 * Splits a text into plain text and links.
 *
 * @param {string} body
 * @returns {Token[]}
 */
export function tokens(body) {
  /** @type {Token[]} */
  const found = [];
  let from = 0;
  for (const match of body.matchAll(CANDIDATE)) {
    const at = match.index ?? 0;
    const before = body.slice(Math.max(0, at - 1), at);
    // `nothttp://` is a word, not a link.
    if (/[\p{L}\p{N}_]/u.test(before)) continue;
    // Trimming looks at each end letter by letter; what is far too long stays text unread.
    if (match[0].length > 2 * LONGEST_LINK) continue;
    const text = trimmed(match[0]);
    const url = linkTarget(text);
    if (url === null) continue;
    if (at > from) found.push({ kind: "text", text: body.slice(from, at) });
    found.push({ kind: "link", text, url });
    from = at + text.length;
  }
  if (from < body.length) found.push({ kind: "text", text: body.slice(from) });
  return found;
}

/** What belongs to the letter before it, or binds two to one. */
const JOINS = /[\p{M}\u200d\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]/u;

/**
 * Where a long text may be cut at about `wanted` (UTF-16 units): at a line's end, else at a space, else between two
 * letters, never within one.
 *
 * @param {string} text
 * @param {number} wanted
 * @returns {number}
 */
export function cutAt(text, wanted) {
  if (text.length <= wanted) return text.length;
  const nearby = text.slice(wanted - Math.min(wanted >> 2, 1000), wanted);
  const line = nearby.lastIndexOf("\n");
  if (line >= 0) return wanted - nearby.length + line + 1;
  const space = nearby.lastIndexOf(" ");
  if (space >= 0) return wanted - nearby.length + space + 1;
  let at = wanted;
  for (let steps = 0; steps < 32 && at > 1; steps += 1) {
    const here = text.charCodeAt(at);
    const splitsPair = here >= 0xdc00 && here <= 0xdfff;
    const next = String.fromCodePoint(text.codePointAt(at) ?? 0x20);
    const joined = text.charCodeAt(at - 1) === 0x200d;
    if (!splitsPair && !joined && !JOINS.test(next)) return at;
    at -= 1;
  }
  // Longer than any letter: then only a pair is kept whole.
  const here = text.charCodeAt(wanted);
  return here >= 0xdc00 && here <= 0xdfff ? wanted - 1 : wanted;
}

/**
 * One line for a list: the beginning of a text without its line breaks.
 *
 * @param {string} body
 */
export function oneLine(body) {
  return body.slice(0, cutAt(body, 200)).replace(/\s+/gu, " ").trim();
}

/** A text of at most six emoji and nothing else is shown larger. */
const EMOJI = /^(?:\p{RI}{2}|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)[\p{M}\u200d\ufe0f\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Extended_Pictographic}\s]*$/u;

/** @param {string} body */
export function fewEmoji(body) {
  if (body.length > 48 || !EMOJI.test(body)) return false;
  const letters = typeof Intl.Segmenter === "function"
    ? [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(body.replace(/\s/gu, ""))].length
    : [...body].length;
  return letters <= 6;
}
