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
  isPlaced = false;

  /** @param {number} [capacity] samples kept for a server that cannot be reached; beyond it the oldest are lost */
  constructor(capacity = Infinity) {
    this.capacity = capacity;
  }

  /**
   * Keep audio that was recorded next.
   *
   * @param {Samples} audio
   */
  append(audio) {
    this.chunks.push({ start: this.end, audio });
    this.end += audio.length;
    this.forget(this.end - this.capacity);
  }

  /**
   * Take what comes next to be sent; null if there is nothing.
   *
   * @param {number} longest in samples
   */
  take(longest) {
    const chunk = this.chunks.find(({ start, audio }) => start + audio.length > this.sent);
    if (!chunk) return null;
    const from = this.sent - chunk.start;
    const audio = chunk.audio.subarray(from, from + longest);
    this.sent += audio.length;
    return audio;
  }

  /**
   * Go on from where the server is: on the first connection this says where the recording belongs, later what must
   * be sent again.
   *
   * @param {number} position
   */
  resumeFrom(position) {
    if (this.isPlaced) {
      this.sent = Math.min(Math.max(position, this.start), this.end);
      return;
    }
    for (const chunk of this.chunks) chunk.start += position;
    this.start += position;
    this.end += position;
    this.sent = this.start;
    this.isPlaced = true;
  }

  /**
   * Drop what is safe.
   *
   * @param {number} before position
   */
  forget(before) {
    const isSafe = (/** @type {{start: number, audio: Samples}} */ { start, audio }) => start + audio.length <= before;
    while (this.chunks[0] && isSafe(this.chunks[0])) this.chunks.shift();
    this.start = this.chunks[0]?.start ?? this.end;
    this.sent = Math.max(this.sent, this.start);
  }

  get unsent() {
    return this.end - this.sent;
  }
}
