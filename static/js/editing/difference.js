// What changed between two texts, character by character. Pure.

/** @typedef {[kind: "same" | "removed" | "added", text: string]} Part */

const MAX_COMPARISONS = 1e6;

/**
 * Return both texts in one, as parts in order; neighbours differ in kind.
 *
 * @param {string} before
 * @param {string} after
 * @returns {Part[]}
 */
export function difference(before, after) {
  const one = [...before];
  const two = [...after];
  const start = commonLength(one, two, (characters, at) => characters[at]);
  const [oneLeft, twoLeft] = [one.slice(start), two.slice(start)];
  const end = commonLength(oneLeft, twoLeft, (characters, at) => characters[characters.length - 1 - at]);
  return joined([
    ["same", one.slice(0, start).join("")],
    ...middle(oneLeft.slice(0, oneLeft.length - end), twoLeft.slice(0, twoLeft.length - end)),
    ["same", one.slice(one.length - end).join("")],
  ]);
}

/**
 * Return how many characters are the same.
 *
 * @param {string[]} one
 * @param {string[]} two
 * @param {(characters: string[], at: number) => string} read
 */
function commonLength(one, two, read) {
  const longest = Math.min(one.length, two.length);
  let length = 0;
  while (length < longest && read(one, length) === read(two, length)) length += 1;
  return length;
}

/**
 * Compare by the longest common subsequence; all of what is too long for that is replaced.
 *
 * @param {string[]} one
 * @param {string[]} two
 * @returns {Part[]}
 */
function middle(one, two) {
  if (one.length * two.length > MAX_COMPARISONS) {
    return [
      ["removed", one.join("")],
      ["added", two.join("")],
    ];
  }
  const common = commonLengths(one, two);
  /** @type {Part[]} */
  const parts = [];
  let i = 0;
  let j = 0;
  while (i < one.length || j < two.length) {
    if (i < one.length && j < two.length && one[i] === two[j]) {
      parts.push(["same", one[i]]);
      i += 1;
      j += 1;
    } else if (j >= two.length || (i < one.length && common(i + 1, j) >= common(i, j + 1))) {
      parts.push(["removed", one[i]]);
      i += 1;
    } else {
      parts.push(["added", two[j]]);
      j += 1;
    }
  }
  return parts;
}

/**
 * Return the length of the longest common subsequence of what follows any two places.
 *
 * @param {string[]} one
 * @param {string[]} two
 */
function commonLengths(one, two) {
  const width = two.length + 1;
  const table = new Uint16Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = two.length - 1; j >= 0; j -= 1) {
      const at = i * width + j;
      table[at] = one[i] === two[j] ? table[at + width + 1] + 1 : Math.max(table[at + width], table[at + 1]);
    }
  }
  return (/** @type {number} */ i, /** @type {number} */ j) => table[i * width + j];
}

/**
 * @param {Part[]} parts
 * @returns {Part[]}
 */
function joined(parts) {
  /** @type {Part[]} */
  const result = [];
  for (const [kind, text] of parts) {
    const last = result.at(-1);
    if (!text) continue;
    if (last?.[0] === kind) last[1] += text;
    else result.push([kind, text]);
  }
  return result;
}
