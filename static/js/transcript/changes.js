// Pieces of lines that are written otherwise than they were heard: by rules, and numbers in digits. Pure.

/** @import { Change, Line } from "../connection/messages.js" */

/**
 * Return the place in a string of a character that is counted as people do.
 *
 * @param {string} text
 * @param {number} at
 */
function placeOf(text, at) {
  return [...text].slice(0, at).join("").length;
}

/**
 * Return the place of a change in its line's text.
 *
 * @param {Line} line
 * @param {Change} change
 * @returns {[begin: number, stop: number]}
 */
export function placeOfChange(line, change) {
  return [placeOf(line.asr, change.begin), placeOf(line.asr, change.stop)];
}

/**
 * Return a line's text with some changes taken back.
 *
 * @param {Line} line
 * @param {Change[]} changes
 */
export function takenBack(line, changes) {
  let text = line.asr;
  for (const change of [...changes].sort((one, two) => two.begin - one.begin)) {
    const [begin, stop] = placeOfChange(line, change);
    text = text.slice(0, begin) + change.heard + text.slice(stop);
  }
  return text;
}

/** @param {Line} line */
export function ofRules(line) {
  return line.changes.filter((change) => change.by_rule);
}

/** @param {Line} line */
export function ofNumbers(line) {
  return line.changes.filter((change) => !change.by_rule);
}
