// Finding text in lines. Pure. Places are [first character, character after it].

/** @typedef {[begin: number, stop: number]} Place */

/**
 * Return the places of a text where something stands, none of them overlapping.
 *
 * @param {string} text
 * @param {string} find
 * @param {boolean} [matchesCase]
 * @returns {Place[]}
 */
export function places(text, find, matchesCase = false) {
  if (!find) return [];
  /** @type {Place[]} */
  const found = [];
  const haystack = matchesCase ? text : fold(text);
  const needle = matchesCase ? find : fold(find);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + needle.length)) {
    found.push([at, at + needle.length]);
  }
  return found;
}

/**
 * Return the text in lower case, of the same length: a character whose lower case is longer (İ) only matches itself.
 *
 * @param {string} text
 */
function fold(text) {
  return [...text].map((c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
}

const BEFORE = 12; // characters

/** @typedef {{kind: "plain" | "found", text: string}} Part */

/**
 * Return the text from a little before its first place on, in parts.
 *
 * @param {string} text
 * @param {readonly Place[]} found at least one
 * @returns {Part[]}
 */
export function excerpt(text, found) {
  /** @type {Part[]} */
  const parts = [];
  let from = Math.max(0, found[0][0] - BEFORE);
  if (from) parts.push({ kind: "plain", text: "…" });
  for (const [begin, stop] of found) {
    parts.push({ kind: "plain", text: text.slice(from, begin) }, { kind: "found", text: text.slice(begin, stop) });
    from = stop;
  }
  parts.push({ kind: "plain", text: text.slice(from) });
  return parts.filter((part) => part.text);
}
