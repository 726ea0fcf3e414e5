// Who can be said to have spoken a line, for what was typed so far. Pure.

/** @import { Line, Spoken } from "../connection/messages.js" */

import { speakerName } from "../lib/words.js";

/** @typedef {{speaker_id: string, name: string}} Person somebody known, of this session or not */

/**
 * @typedef {object} Choices
 * @property {Spoken[]} here who speak in this session
 * @property {Person[]} elsewhere who are known and do not
 * @property {string} fresh the name of somebody new; "" for none
 * @property {boolean} stranger whether it may be somebody unknown
 */

/**
 * Return who can be chosen.
 *
 * @param {object} question
 * @param {string} question.typed
 * @param {string} question.speakerId who is said to have spoken now
 * @param {Iterable<Line>} question.lines
 * @param {Person[]} question.known
 * @param {boolean} question.mayAdd
 * @returns {Choices}
 */
export function choicesFor({ typed, speakerId, lines, known, mayAdd }) {
  const wanted = typed.trim();
  const matches = (/** @type {string} */ name) => name.toLowerCase().includes(wanted.toLowerCase());
  const present = othersIn(lines, speakerId);
  const here = [...present.values()].filter((spk) => matches(speakerName(spk)));
  const elsewhere = known.filter(({ speaker_id: id, name }) => id !== speakerId && !present.has(id) && matches(name));
  const names = [...here.map(speakerName), ...elsewhere.map(({ name }) => name)];
  return { here, elsewhere, fresh: mayAdd && !names.includes(wanted) ? wanted : "", stranger: !wanted };
}

/**
 * @param {Iterable<Line>} lines
 * @param {string} speakerId
 * @returns {Map<string, Spoken>}
 */
function othersIn(lines, speakerId) {
  const present = new Map();
  for (const { spk } of lines) if (spk.speaker_id && spk.speaker_id !== speakerId) present.set(spk.speaker_id, spk);
  return present;
}

/**
 * Return how many lines a name can go to, and which it goes to unless something else is said: a stranger who gets a
 * name gets it everywhere; a wrong name is mostly one line's.
 *
 * @param {Spoken} spk
 * @param {Line[]} lines
 */
export function scopeOf(spk, lines) {
  const count = lines.filter((line) => line.spk.speaker_id === spk.speaker_id).length;
  return { count, isChoice: count > 1 && spk.speaker_id !== "", isAll: Boolean(spk.number) && count > 1 };
}
