// Progress of a file that is transcribed: how much is done, and how long the rest will take. Pure.

const MIN_TOOK_MS = 2000;

export class Progress {
  doneMs = 0;
  tookMs = 0;

  /** @param {number} wholeMs length of the file */
  constructor(wholeMs) {
    this.wholeMs = wholeMs;
  }

  /**
   * Learn up to where everything is recognised; what comes late changes nothing.
   *
   * @param {number} ms
   */
  done(ms) {
    this.doneMs = Math.min(this.wholeMs, Math.max(this.doneMs, ms));
  }

  /**
   * Learn that time went by in which the file was worked on.
   *
   * @param {number} ms
   */
  took(ms) {
    this.tookMs += ms;
  }

  /** From 0 to 1. */
  get share() {
    return this.wholeMs ? this.doneMs / this.wholeMs : 0;
  }

  /** Milliseconds until it is done, at the pace so far; null as long as nobody can say. */
  get leftMs() {
    if (!this.doneMs || this.tookMs < MIN_TOOK_MS) return null;
    return (this.tookMs * (this.wholeMs - this.doneMs)) / this.doneMs;
  }
}
