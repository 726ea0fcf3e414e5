// What keys mean while a line is written. Pure.

/** @typedef {"close" | "split" | "cancel" | "merge-before" | "merge-after" | "go-before" | "go-after"} Action */

/**
 * @typedef {object} Key
 * @property {string} key
 * @property {number} keyCode
 * @property {boolean} isComposing
 * @property {boolean} ctrlKey
 * @property {boolean} metaKey
 * @property {boolean} altKey
 * @property {boolean} shiftKey
 */

/** @typedef {{value: string, selectionStart: number, selectionEnd: number}} Field */

const TAKEN_BY_INPUT_METHOD = 229;

/** @type {Map<string, Action>} */
const AT_START = new Map([
  ["Backspace", "merge-before"],
  ["ArrowUp", "go-before"],
]);
/** @type {Map<string, Action>} */
const AT_END = new Map([
  ["Delete", "merge-after"],
  ["ArrowDown", "go-after"],
]);

/**
 * Return what a key does beyond writing; null for nothing. Input methods compose with Enter, arrows and Escape: those
 * are theirs.
 *
 * @param {Key} key
 * @param {Field} field
 * @returns {Action | null}
 */
export function actionOf(key, { value, selectionStart, selectionEnd }) {
  if (key.isComposing || key.keyCode === TAKEN_BY_INPUT_METHOD) return null;
  if (key.key === "Enter") return key.shiftKey && !isModified(key) ? "split" : "close";
  if (key.key === "Escape") return "cancel";
  if (isModified(key)) return null;
  const atStart = selectionEnd === 0 ? AT_START.get(key.key) : undefined;
  const atEnd = selectionStart === value.length ? AT_END.get(key.key) : undefined;
  return atStart ?? atEnd ?? null;
}

/** @param {Key} key */
function isModified({ ctrlKey, metaKey, altKey }) {
  return ctrlKey || metaKey || altKey;
}
