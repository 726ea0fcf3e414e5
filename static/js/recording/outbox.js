// The sender's audio until the server says that it need never be sent again. Knows no socket and no clock. Pure.
// Positions are samples from the start of the session.

/** @import { Samples } from "./audio.js" */

export class Outbox {
  /** @type {{start: number, audio: Samples}[]} */
  chunks = [];
  /** Position of the oldest audio that is kept. */
  start = 0;
  /** Position of the audio that is recorded next. */
  end = 0;
  /** Position of the audio that is sent next. */
  sent = 0;
  /** Position before which the server has all. */
  safe = 0;
  /** Samples that were lost before the server had them; silence is sent in their place. */
  lost = 0;
  isPlaced = false;

  /**
   * @param {number} [capacity] samples kept for a server that cannot be reached; beyond it the oldest are lost
   * @param {number} [reserve] samples kept of what the server has: it might lose what it has not recognised yet
   */
  constructor(capacity = Infinity, reserve = 0) {
    this.capacity = capacity;
    this.reserve = reserve;
  }

  /**
   * Keep audio that was recorded next.
   *
   * @param {Samples} audio
   */
  append(audio) {
    this.chunks.push({ start: this.end, audio });
    this.end += audio.length;
    const first = Math.max(this.start, this.safe);
    this.drop(this.end - this.capacity);
    this.lost += Math.max(0, this.start - first);
  }

  /**
   * Take what comes next to be sent; null if there is nothing.
   *
   * @param {number} longest in samples
   */
  take(longest) {
    if (this.sent < this.start) return this.takeSilence(Math.min(longest, this.start - this.sent));
    const chunk = this.chunks.find(({ start, audio }) => start + audio.length > this.sent);
    if (!chunk) return null;
    const from = this.sent - chunk.start;
    const audio = chunk.audio.subarray(from, from + longest);
    this.sent += audio.length;
    return audio;
  }

  /** @param {number} length */
  takeSilence(length) {
    this.sent += length;
    return new Float32Array(length);
  }

  /**
   * Go on from where the server is: on the first connection this says where the recording belongs, later what must
   * be sent again.
   *
   * @param {number} position
   */
  resumeFrom(position) {
    if (this.isPlaced) {
      this.sent = Math.min(position, this.end);
      return;
    }
    this.move(position);
    this.sent = position;
    this.isPlaced = true;
  }

  /**
   * Begin another session, with what follows the end of the one before.
   *
   * @param {number} end position
   */
  startAgain(end) {
    this.chunks = this.chunksAfter(end);
    this.end = Math.max(this.end, end);
    this.start = this.chunks[0]?.start ?? this.end;
    this.move(-end);
    this.sent = 0;
  }

  /** @param {number} by samples */
  move(by) {
    for (const chunk of this.chunks) chunk.start += by;
    this.safe = Math.max(0, this.safe + by);
    this.start += by;
    this.end += by;
  }

  /**
   * Drop what is safe, but for the reserve.
   *
   * @param {number} before position
   */
  forget(before) {
    this.safe = Math.max(this.safe, before);
    this.drop(before - this.reserve);
    this.sent = Math.max(this.sent, Math.min(before, this.end));
  }

  /** @param {number} before position */
  drop(before) {
    const isSafe = (/** @type {{start: number, audio: Samples}} */ { start, audio }) => start + audio.length <= before;
    while (this.chunks[0] && isSafe(this.chunks[0])) this.chunks.shift();
    this.start = this.chunks[0]?.start ?? this.end;
  }

  /**
   * Return what was recorded from a position on, as far as it is kept.
   *
   * @param {number} position
   */
  after(position) {
    return this.chunksAfter(position).map(({ audio }) => audio);
  }

  /** @param {number} position */
  chunksAfter(position) {
    return this.chunks
      .filter(({ start, audio }) => start + audio.length > position)
      .map(({ start, audio }) => ({
        start: Math.max(start, position),
        audio: audio.subarray(Math.max(0, position - start)),
      }));
  }

  get unsent() {
    return this.end - this.sent;
  }
}
