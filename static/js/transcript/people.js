// Who speaks in a transcript, and how much. Pure.

/** @import { Line, Spoken } from "../connection/messages.js" */

/**
 * @typedef {object} Talking
 * @property {Spoken} spk as of the last line
 * @property {number} ms
 * @property {number} percent of the talking
 */

/**
 * Return how long everybody has spoken, in the order in which they came.
 *
 * @param {Iterable<Line>} lines
 * @returns {Talking[]}
 */
export function talkingTimes(lines) {
  /** @type {Map<string, Talking>} */
  const people = new Map();
  let total = 0;
  for (const { spk, start_ms: start, end_ms: end } of lines) {
    const ms = (people.get(spk.speaker_id)?.ms ?? 0) + end - start;
    people.set(spk.speaker_id, { spk, ms, percent: 0 });
    total += end - start;
  }
  for (const person of people.values()) person.percent = Math.round((100 * person.ms) / Math.max(1, total));
  return [...people.values()];
}

/**
 * Return the longest lines, which tell most about a voice, in the order of the meeting.
 *
 * @template {Line} T
 * @param {readonly T[]} lines
 * @param {number} count
 * @returns {T[]}
 */
export function longestLines(lines, count) {
  const length = (/** @type {Line} */ line) => line.end_ms - line.start_ms;
  const longest = [...lines].sort((one, other) => length(other) - length(one)).slice(0, count);
  return longest.sort((one, other) => one.start_ms - other.start_ms);
}
