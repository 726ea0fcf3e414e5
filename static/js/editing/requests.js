// What a person may ask to change in a transcript, in the words of the server's edit requests. Pure.

/** @import { Line } from "../connection/messages.js" */

/** @typedef {{line: number, revision: number}} Seen a line as somebody saw it */
/** @typedef {{speaker_id: string} | {name: string} | {stranger: true}} Who */

/**
 * @typedef {{kind: "text", seen: Seen, text: string}
 *   | {kind: "speaker", seen: Seen, who: Who}
 *   | {kind: "voice", voice: string, who: Who}
 *   | {kind: "split", seen: Seen, first: string, second: string}
 *   | {kind: "merge", seen: Seen, following: Seen}
 *   | {kind: "insert", after: number, text: string}
 *   | {kind: "remove", seen: Seen}
 *   | {kind: "replace", find: string, replacement: string, matches_case: boolean, lines: Seen[]}
 *   | {kind: "restore", lines: (Seen & {version: number | null})[]}
 *   | {kind: "title", seen: string, title: string}} Edit
 */

/** @typedef {Line & {revision: number, removed: boolean}} EditedLine */
/** @typedef {{lines: EditedLine[], undo: Edit | null, was?: Record<string, number>}} Answer */

/**
 * Return the marks of lines in an edit: those that must be as they were seen.
 *
 * @param {Edit} edit
 * @returns {Seen[]}
 */
export function marksOf(edit) {
  switch (edit.kind) {
    case "merge":
      return [edit.seen, edit.following];
    case "replace":
    case "restore":
      return edit.lines;
    case "text":
    case "speaker":
    case "split":
    case "remove":
      return [edit.seen];
    default:
      return [];
  }
}

/**
 * Return a text as the server keeps it: in one line, without blanks around it.
 *
 * @param {string} text
 */
export function oneLine(text) {
  return text.trim().split(/\s+/).join(" ");
}
