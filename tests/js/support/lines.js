// Lines of a meeting.

/** @import { Line, Overlap, Spoken } from "../../../static/js/connection/messages.js" */

export const ANNA = speaker("anna", "Anna");
export const BORIS = speaker("boris", "Boris");

/**
 * @param {string} id
 * @param {string} name
 * @returns {Spoken}
 */
export function speaker(id, name) {
  return { speaker_id: id, speaker_name: name, score: 0.9, enrolled: true, number: null };
}

/**
 * @param {number} number
 * @returns {Spoken}
 */
export function stranger(number) {
  const id = `stranger-${number}`;
  return { speaker_id: id, speaker_name: `Speaker ${number}`, score: 0.5, enrolled: false, number };
}

/**
 * Return speech during a line without words.
 *
 * @param {Spoken} spk
 * @param {number} start
 * @param {number} end
 * @returns {Overlap}
 */
export function overlap({ speaker_id, speaker_name, number = null }, start, end) {
  return { speaker_id, speaker_name, number, start_ms: start, end_ms: end };
}

/**
 * Return a line of one second that begins at `id` seconds, unless told otherwise.
 *
 * @param {number} id
 * @param {Partial<Line>} [fields]
 * @returns {Line}
 */
export function line(id, fields = {}) {
  const start = fields.start_ms ?? 1000 * id;
  return {
    id,
    seq: id,
    asr: `line ${id}`,
    spk: ANNA,
    start_ms: start,
    end_ms: start + 1000,
    edited: false,
    overlaps: [],
    changes: [],
    ...fields,
  };
}
