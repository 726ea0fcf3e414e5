// Who speaks in a transcript, and how much. Pure.

/** @import { Line, Overlap, Spoken } from "../connection/messages.js" */

/**
 * @typedef {object} Talking
 * @property {Spoken} spk as of the last line
 * @property {number} ms
 * @property {number} percent of the talking
 */

/**
 * Return how long everybody has spoken, in the order in which they came; whoever only spoke during the lines of
 * others comes last.
 *
 * @param {readonly Line[]} lines
 * @returns {Talking[]}
 */
export function talkingTimes(lines) {
  /** @type {Map<string, Talking>} */
  const people = new Map();
  let total = 0;
  for (const { spk, spans } of speech(lines)) {
    const ms = lengthOf(spans);
    people.set(spk.speaker_id, { spk, ms, percent: 0 });
    total += ms;
  }
  for (const person of people.values()) person.percent = Math.round((100 * person.ms) / Math.max(1, total));
  return [...people.values()];
}

/**
 * @typedef {object} Speech
 * @property {Spoken} spk as of their last line
 * @property {[number, number][]} spans from and to, with words or without, as they come
 */

/**
 * Return when everybody speaks, in the order in which they came.
 *
 * @param {readonly Pick<Line, "spk" | "start_ms" | "end_ms" | "overlaps">[]} lines
 * @returns {Speech[]}
 */
export function speech(lines) {
  /** @type {Map<string, Speech>} */
  const people = new Map();
  const add = (/** @type {Spoken} */ spk, /** @type {[number, number]} */ span) => {
    const known = people.get(spk.speaker_id);
    if (known) known.spans.push(span);
    else people.set(spk.speaker_id, { spk, spans: [span] });
  };
  for (const { spk, start_ms: start, end_ms: end } of lines) {
    add(spk, [start, end]);
    const known = people.get(spk.speaker_id);
    if (known) known.spk = spk;
  }
  for (const { overlaps } of lines) {
    for (const overlap of overlaps) add(spokenBy(overlap), [overlap.start_ms, overlap.end_ms]);
  }
  return [...people.values()];
}

/**
 * @param {Overlap} overlap
 * @returns {Spoken}
 */
function spokenBy({ speaker_id, speaker_name, number }) {
  return { speaker_id, speaker_name, number, enrolled: number === null, score: null };
}

/**
 * Return how long spans are together; what two of them share counts once.
 *
 * @param {readonly [number, number][]} spans
 */
function lengthOf(spans) {
  let reached = -Infinity;
  let ms = 0;
  for (const [start, end] of [...spans].sort((one, other) => one[0] - other[0])) {
    ms += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return ms;
}

/**
 * Return the lines of somebody; of who has none, the spans in which they speak during the lines of others.
 *
 * @template {Line} T
 * @param {readonly T[]} lines
 * @param {string} speakerId
 * @returns {T[]} those spans as lines without words, which no transcript has
 */
export function linesOf(lines, speakerId) {
  const own = lines.filter(({ spk }) => spk.speaker_id === speakerId);
  return own.length ? own : lines.flatMap((line) => wordlessIn(line, speakerId));
}

/**
 * @template {Line} T
 * @param {T} line
 * @param {string} speakerId
 * @returns {T[]}
 */
function wordlessIn(line, speakerId) {
  const theirs = line.overlaps.filter((overlap) => overlap.speaker_id === speakerId);
  return theirs.map((overlap) => ({
    ...line,
    id: 0,
    asr: "",
    spk: spokenBy(overlap),
    start_ms: overlap.start_ms,
    end_ms: overlap.end_ms,
    overlaps: [],
  }));
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
