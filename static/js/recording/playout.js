// Giving out decoded audio, at once or as slowly as it was spoken. Knows no clock. Pure.

/** @import { Samples } from "./audio.js" */

import { mono, PIECE, SAMPLE_RATE } from "./audio.js";

export class Playout {
  /** Position of the piece that comes next. */
  position = 0;
  /** Samples that real time would have given out. */
  due = 0;

  /**
   * @param {Float32Array[]} channels of one length
   * @param {object} parts
   * @param {boolean} parts.isInRealTime
   * @param {() => boolean} parts.isWanted whether audio may come now
   * @param {(audio: Samples) => void} parts.onAudio
   * @param {number} nowMs
   */
  constructor(channels, { isInRealTime, isWanted, onAudio }, nowMs) {
    this.channels = channels;
    this.isInRealTime = isInRealTime;
    this.isWanted = isWanted;
    this.onAudio = onAudio;
    this.lookedAtMs = nowMs;
  }

  get length() {
    return this.channels[0]?.length ?? 0;
  }

  get isOver() {
    return this.position >= this.length;
  }

  /**
   * Give out what may come by now. Time in which nothing is wanted, as in a pause, does not count.
   *
   * @param {number} nowMs
   */
  look(nowMs) {
    if (this.isWanted()) this.due += ((nowMs - this.lookedAtMs) * SAMPLE_RATE) / 1000;
    this.lookedAtMs = nowMs;
    while (this.isWanted() && !this.isOver && (!this.isInRealTime || this.position + PIECE <= this.due)) {
      const from = this.position;
      this.position = Math.min(from + PIECE, this.length);
      this.onAudio(mono(this.channels, from, this.position));
    }
  }
}
