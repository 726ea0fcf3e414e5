// What belongs to a moment of a recording: a line, a word of it, a loudness. Pure; times in milliseconds.

/** @import { Line } from "../connection/messages.js" */

/** @typedef {[begin: number, stop: number, start: number, end: number]} Word characters from and to, time from and to */

export const MS_PER_PEAK = 100;

const LOOKED_BACK = 20; // lines; so many do not sound at once

/**
 * Return the last line that has begun by then; null before the first.
 *
 * @template {Pick<Line, "start_ms">} T
 * @param {readonly T[]} lines in the order of their start
 * @param {number} ms
 * @returns {T | null}
 */
export function lineAt(lines, ms) {
  return lines[countBegun(lines, ms) - 1] ?? null;
}

/**
 * Return the lines that sound at a moment, the last that has begun first; in a pause that one alone.
 *
 * @template {Pick<Line, "start_ms" | "end_ms">} T
 * @param {readonly T[]} lines in the order of their start
 * @param {number} ms
 * @returns {T[]}
 */
export function linesAt(lines, ms) {
  const begun = countBegun(lines, ms);
  const latest = lines.slice(Math.max(0, begun - LOOKED_BACK), begun).reverse();
  const sounding = latest.filter((line) => ms < line.end_ms);
  return sounding.length ? sounding : latest.slice(0, 1);
}

/**
 * @param {readonly Pick<Line, "start_ms">[]} lines
 * @param {number} ms
 */
function countBegun(lines, ms) {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].start_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Return the ids of those who speak at a moment, with words or without.
 *
 * @param {readonly Pick<Line, "spk" | "start_ms" | "end_ms" | "overlaps">[]} lines
 * @param {number} ms
 */
export function soundingAt(lines, ms) {
  const isNow = (/** @type {Pick<Line, "start_ms" | "end_ms">} */ span) => span.start_ms <= ms && ms < span.end_ms;
  const own = lines.filter(isNow).map(({ spk }) => spk.speaker_id);
  const others = lines.flatMap(({ overlaps }) => overlaps.filter(isNow).map((overlap) => overlap.speaker_id));
  return [...own, ...others];
}

/**
 * Return the last word that has begun by then; null before the first.
 *
 * @param {readonly Word[]} words
 * @param {number} ms
 */
export function wordAt(words, ms) {
  return words.findLast(([, , start]) => start <= ms) ?? null;
}

/**
 * Return the word at a place in the text, or the one that follows.
 *
 * @param {readonly Word[]} words
 * @param {number} offset
 */
export function wordAtCharacter(words, offset) {
  return words.find(([, stop]) => offset < stop) ?? words.at(-1) ?? null;
}

/**
 * Return the greatest peak within a time, at least of the one that holds its start; 0 where none is known.
 *
 * @param {Uint8Array} peaks
 * @param {number} fromMs
 * @param {number} toMs
 */
export function loudest(peaks, fromMs, toMs) {
  const first = Math.floor(fromMs / MS_PER_PEAK);
  const stop = Math.max(first + 1, Math.floor(toMs / MS_PER_PEAK));
  return peaks.subarray(first, stop).reduce((most, peak) => Math.max(most, peak), 0);
}
