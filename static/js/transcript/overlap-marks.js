// Who else speaks in a line: without words of their own, or in a line of theirs that goes on. Pure.
// sessions_app/transcripts/overlap_marks.py says the same in files and in a page's first lines.

/** @import { Line } from "../connection/messages.js" */

import { fill, gettext, ngettext, speakerName } from "../lib/words.js";

const MIN_SHARED_MS = 300; // less is the end of a word, of which nobody is sure
const LOOKED_BACK = 20; // lines; so many do not go on at once

/**
 * What is to be said of others in a line; empty for most.
 *
 * @typedef {object} OverlapMark
 * @property {string} during whose line goes on when it begins
 * @property {string} too who speaks without words of their own
 */

/**
 * @param {readonly Line[]} lines in the order of their start
 * @param {number} index
 * @returns {OverlapMark}
 */
export function overlapMark(lines, index) {
  const line = lines[index];
  const during = new Set(linesUnder(lines, index).map(({ spk }) => speakerName(spk)));
  const too = new Set(line.overlaps.map((overlap) => speakerName(overlap)));
  return {
    during: during.size ? fill(gettext("at the same time as %(names)s"), { names: listed(during) }) : "",
    too: too.size
      ? fill(ngettext("%(names)s speaks too", "%(names)s speak too", too.size), { names: listed(too) })
      : "",
  };
}

/**
 * Return the lines of others that still go on when a line begins.
 *
 * @param {readonly Line[]} lines
 * @param {number} index
 */
function linesUnder(lines, index) {
  const line = lines[index];
  return lines
    .slice(Math.max(0, index - LOOKED_BACK), index)
    .filter((other) => other.spk.speaker_id !== line.spk.speaker_id && sharedMs(other, line) >= MIN_SHARED_MS);
}

/**
 * @param {Line} earlier
 * @param {Line} later
 */
function sharedMs(earlier, later) {
  return Math.min(earlier.end_ms, later.end_ms) - later.start_ms;
}

/** @param {Set<string>} names */
function listed(names) {
  return [...names].join(gettext(", "));
}
