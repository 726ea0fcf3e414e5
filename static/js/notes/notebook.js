// Notes on moments of a meeting: which line each belongs to, and which moment is meant. Pure; times in milliseconds.

/** @import { Line } from "../connection/messages.js" */

import { lineAt } from "../player/timeline.js";

/**
 * A bookmark if it has no text, a comment if it answers another.
 *
 * @typedef {object} Note
 * @property {number} id
 * @property {number} at_ms
 * @property {string} text
 * @property {string} author
 * @property {boolean} is_own
 * @property {string} written_at
 * @property {boolean} is_changed
 * @property {number | null} answers
 */

/** @typedef {Note & {comments: Note[]}} Thread */

/** What is known of a meeting's notes: all of them, as of the change with a number. */
export class Notebook {
  /** @type {Thread[]} */
  threads = [];
  number = 0;
  /** Number of the change for which notes were last asked. */
  asked = 0;

  /**
   * Tell whether a change is neither known nor asked for.
   *
   * @param {number} number
   */
  isNews(number) {
    return number > Math.max(this.number, this.asked);
  }

  /**
   * Take an answer of the server, unless a newer one has overtaken it.
   *
   * @param {{number: number, notes: Note[]}} answer
   * @returns {boolean} whether it was taken
   */
  take({ number, notes }) {
    if (number < this.number) return false;
    this.number = number;
    this.threads = threads(notes);
    return true;
  }
}

/**
 * Return the notes, each with the comments on it, in the order of their moments.
 *
 * @param {readonly Note[]} notes
 * @returns {Thread[]}
 */
export function threads(notes) {
  const found = new Map(
    notes.filter((note) => note.answers === null).map((note) => [note.id, { ...note, comments: [] }]),
  );
  /** @type {Map<number | null, Thread>} */
  const byId = new Map(found);
  for (const note of notes) byId.get(note.answers)?.comments.push(note);
  return [...byId.values()].sort((one, other) => one.at_ms - other.at_ms || one.id - other.id);
}

/**
 * Return the line that a thread belongs to: the one that began last before its moment, or else the first.
 *
 * @template {Pick<Line, "id" | "start_ms">} T
 * @param {Thread} thread
 * @param {readonly T[]} lines in the order of their start
 */
export function lineOf(thread, lines) {
  return lineAt(lines, thread.at_ms) ?? lines[0];
}

/**
 * Return the threads of each line.
 *
 * @template {Pick<Line, "id" | "start_ms">} T
 * @param {readonly Thread[]} found
 * @param {readonly T[]} lines in the order of their start
 * @returns {Map<number, Thread[]>} by the line's id
 */
export function byLine(found, lines) {
  /** @type {Map<number, Thread[]>} */
  const placed = new Map();
  for (const thread of found) {
    const line = lineOf(thread, lines);
    if (line) placed.set(line.id, [...(placed.get(line.id) ?? []), thread]);
  }
  return placed;
}

/**
 * Return the moment that somebody means who makes a note now: what they hear; in a live meeting what is being said;
 * else the line that they are at, or where the player stands.
 *
 * @param {{isPlaying: boolean, playerMs: number, isLive: boolean, nowMs: number, lineMs: number | null}} circumstances
 */
export function momentMeant({ isPlaying, playerMs, isLive, nowMs, lineMs }) {
  if (isPlaying) return Math.round(playerMs);
  if (isLive) return Math.round(nowMs);
  return Math.round(lineMs ?? playerMs);
}
