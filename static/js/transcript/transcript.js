// The lines of a session in reading order, folded from a snapshot and the socket's messages. Pure: a listener is
// told what was added, changed and removed.

/** @import { Line, Revision, Snapshot } from "../connection/messages.js" */

/** @typedef {Line & {revision: number}} KnownLine */

/**
 * @typedef {object} TranscriptListener
 * @property {(line: KnownLine, index: number) => void} [added]
 * @property {(line: KnownLine, before: KnownLine, index: number) => void} [changed]
 * @property {(line: KnownLine, index: number) => void} [removed]
 */

export class Transcript {
  /** @type {KnownLine[]} */
  lines = [];
  /** @type {Map<number, KnownLine>} */
  byId = new Map();
  /** Lines up to this number are known without a gap; what to ask for after a lost connection. */
  seq = 0;
  /** Changes up to this number are known without a gap. */
  revision = 0;

  /** @param {TranscriptListener} [listener] */
  constructor(listener = {}) {
    this.listener = listener;
  }

  /** @param {Omit<Snapshot, "speakers">} snapshot */
  receiveSnapshot({ seq, revision, lines }) {
    for (const line of lines) this.put(line);
    this.seq = Math.max(this.seq, seq);
    this.revision = Math.max(this.revision, revision);
  }

  /** @param {Line} line */
  receiveLine(line) {
    this.seq = Math.max(this.seq, line.seq);
    if (!this.byId.has(line.id)) this.put(line);
  }

  /** @param {Omit<Revision, "type">} revision */
  receiveRevision({ revision, line, removed }) {
    this.revision = Math.max(this.revision, revision);
    if (removed) this.remove(line.id);
    else this.put({ ...line, revision });
  }

  /**
   * Add a line, or take its new reading unless something newer is known.
   *
   * @param {Line} line
   */
  put(line) {
    const known = { ...line, revision: line.revision ?? 0 };
    const before = this.byId.get(line.id);
    if (!before) this.insert(known);
    else if (known.revision >= before.revision) this.replace(before, known);
  }

  /** @param {number} id */
  remove(id) {
    const line = this.byId.get(id);
    if (!line) return;
    const index = this.lines.indexOf(line);
    this.lines.splice(index, 1);
    this.byId.delete(id);
    this.listener.removed?.(line, index);
  }

  /**
   * @param {KnownLine} before
   * @param {KnownLine} line
   */
  replace(before, line) {
    if (before.start_ms !== line.start_ms) {
      this.remove(before.id);
      this.insert(line);
      return;
    }
    const index = this.lines.indexOf(before);
    this.lines[index] = line;
    this.byId.set(line.id, line);
    this.listener.changed?.(line, before, index);
  }

  /** @param {KnownLine} line */
  insert(line) {
    const index = this.lines.findLastIndex((other) => isInOrder(other, line)) + 1;
    this.lines.splice(index, 0, line);
    this.byId.set(line.id, line);
    this.listener.added?.(line, index);
  }
}

/**
 * @param {Line} one
 * @param {Line} other
 */
function isInOrder(one, other) {
  return one.start_ms < other.start_ms || (one.start_ms === other.start_ms && one.id <= other.id);
}
