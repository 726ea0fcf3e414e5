// Who speaks when: for each speaker the spans in which they do. Pure; times in milliseconds.

/** @import { Line, Spoken } from "../connection/messages.js" */

import { speech } from "../transcript/people.js";

/**
 * @typedef {object} Track
 * @property {Spoken} spk as of their last line
 * @property {[number, number][]} spans from and to, in order
 */

const JOINED_MS = 1000; // a breath between two lines

/**
 * Return the track of each speaker, in the order in which they came.
 *
 * @param {readonly Pick<Line, "spk" | "start_ms" | "end_ms" | "overlaps">[]} lines
 * @returns {Track[]}
 */
export function tracksOf(lines) {
  return speech(lines).map(({ spk, spans }) => ({ spk, spans: joined(spans) }));
}

/**
 * @param {readonly [number, number][]} spans
 * @returns {[number, number][]} in order
 */
function joined(spans) {
  /** @type {[number, number][]} */
  const found = [];
  for (const [start, end] of [...spans].sort((one, other) => one[0] - other[0])) {
    const last = found.at(-1);
    if (last && start - last[1] <= JOINED_MS) last[1] = Math.max(last[1], end);
    else found.push([start, end]);
  }
  return found;
}

/**
 * Return the number of the span that is at a moment, or the last before it; -1 before the first.
 *
 * @param {Track} track
 * @param {number} ms
 */
export function spanAt({ spans }, ms) {
  return spans.findLastIndex(([start]) => start <= ms);
}

/**
 * Return the start of the span that a click at a moment means: the one there, or else the nearest.
 *
 * @param {Track} track
 * @param {number} ms
 */
export function meant({ spans }, ms) {
  const away = (/** @type {[number, number]} */ [start, end]) => Math.max(start - ms, ms - end, 0);
  const nearest = spans.reduce((best, span) => (away(span) < away(best) ? span : best));
  return away(nearest) ? nearest[0] : ms;
}

/**
 * Return the outline of a track for a picture as wide as the recording is long, and one high.
 *
 * @param {Track} track
 */
export function outline({ spans }) {
  return spans.map(([start, end]) => `M${start} 0H${end}V1H${start}z`).join("");
}
