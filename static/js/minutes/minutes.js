// The minutes of a meeting as the server tells them, put in order for a page; times in milliseconds.

import { localeOf } from "../lib/locale.js";

/**
 * @typedef {object} Person
 * @property {string} speaker_id
 * @property {string} speaker_name
 */

/**
 * @typedef {"summary" | "chapter" | "decision" | "action" | "question" | "date" | "figure"} Section
 */

/**
 * @typedef {object} Item
 * @property {number} id
 * @property {Section} section
 * @property {string} text
 * @property {{line_id: number, start_ms: number}[]} lines that carry it
 * @property {number} at_ms
 * @property {Person | null} who
 * @property {string} until as it was said
 * @property {string | null} due as a date
 * @property {boolean} is_done
 * @property {boolean} is_edited
 * @property {"patterns" | "model" | "person"} source
 */

/**
 * @typedef {object} Minutes
 * @property {string} made_at
 * @property {boolean} is_so_far made while the meeting went on
 * @property {boolean} is_out_of_date
 * @property {Item[]} items
 * @property {(Person & {spoken_ms: number, turns: number, questions: number})[]} talk
 * @property {{word: string, count: number}[]} key_words
 */

/**
 * The language model that may write minutes, and how far it is.
 *
 * @typedef {object} WriterState
 * @property {string} model
 * @property {string} server
 * @property {boolean} has_written
 * @property {{id: number, name: string, is_chosen: boolean}[]} templates that the admin has made
 * @property {boolean} is_forbidden this meeting is never sent to it
 * @property {boolean} is_along while the meeting goes on, piece by piece
 * @property {{is_at_work: boolean, done: number, steps: number, error: string} | null} job
 */

/** Sections in the order in which they are read; those that are long stay folded until somebody wants them. */
export const SECTIONS = /** @type {const} */ ([
  { section: "summary", isOpen: true },
  { section: "decision", isOpen: true },
  { section: "action", isOpen: true },
  { section: "chapter", isOpen: true },
  { section: "question", isOpen: false },
  { section: "date", isOpen: false },
  { section: "figure", isOpen: false },
]);

/**
 * Return the sections that have something, each with its items.
 *
 * @param {readonly Item[]} items
 * @returns {{section: Section, isOpen: boolean, items: Item[]}[]}
 */
export function filledSections(items) {
  return SECTIONS.map(({ section, isOpen }) => ({
    section,
    isOpen,
    items: items.filter((item) => item.section === section),
  })).filter(({ items: own }) => own.length > 0);
}

/**
 * Return until when something is to be done, as a reader sees it: as it was said, and the day that it means.
 *
 * @param {Pick<Item, "until" | "due">} item
 * @param {string} language
 */
export function dueText({ until, due }, language) {
  if (!due) return until;
  const [year, month, day] = due.split("-").map(Number);
  const options = /** @type {const} */ ({ month: "short", day: "numeric", weekday: "short" });
  const date = new Date(year, month - 1, day).toLocaleDateString(localeOf(language), options);
  return until ? `${until} · ${date}` : date;
}
