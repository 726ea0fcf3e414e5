// Samples: one channel of many, pieces of one length, loudness. Pure; float32 in [-1, 1].

/** Samples a second of everything that is sent. */
export const SAMPLE_RATE = 16000;

/** Samples that go from hand to hand: 100 ms. */
export const PIECE = 1600;

/** @typedef {Float32Array<ArrayBuffer>} Samples */

/**
 * Mix channels of one length into one.
 *
 * @param {readonly Float32Array[]} channels
 * @param {number} [from] first sample
 * @param {number} [to] sample after the last
 * @returns {Samples}
 */
export function mono(channels, from = 0, to = channels[0]?.length ?? 0) {
  const mixed = new Float32Array(to - from);
  for (const channel of channels) {
    for (let at = 0; at < mixed.length; at += 1) mixed[at] += channel[from + at] / channels.length;
  }
  return mixed;
}

/**
 * Lay sounds of one length over each other, as they are heard at once.
 *
 * @param {readonly Samples[]} sounds at least one
 * @returns {Samples} the first, which is changed
 */
export function overlaid([first, ...others]) {
  for (const sound of others) {
    for (let at = 0; at < first.length; at += 1) first[at] = Math.min(1, Math.max(-1, first[at] + sound[at]));
  }
  return first;
}

/** How loud something is, piece by piece. */
export class Meter {
  sum = 0;
  count = 0;

  /** @param {Float32Array} audio */
  add(audio) {
    this.sum += sumOfSquares(audio);
    this.count += audio.length;
  }

  /** Return the loudness of what was added since this was last asked for; null if nothing was. */
  take() {
    const level = this.count ? ofHearing(Math.sqrt(this.sum / this.count)) : null;
    this.sum = 0;
    this.count = 0;
    return level;
  }
}

/** Pieces of one length, from audio of any lengths. */
export class Pieces {
  filled = 0;

  /**
   * @param {number} length of each, in samples
   * @param {(piece: Samples) => void} onPiece each piece is the receiver's own
   */
  constructor(length, onPiece) {
    this.piece = new Float32Array(length);
    this.onPiece = onPiece;
  }

  /** @param {Float32Array} audio */
  add(audio) {
    let at = 0;
    while (at < audio.length) {
      const part = audio.subarray(at, at + this.piece.length - this.filled);
      this.piece.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled === this.piece.length) this.handOver();
    }
  }

  handOver() {
    const { piece } = this;
    this.piece = new Float32Array(piece.length);
    this.filled = 0;
    this.onPiece(piece);
  }
}

/**
 * Return the root mean square.
 *
 * @param {Float32Array} audio
 */
export function rms(audio) {
  return Math.sqrt(sumOfSquares(audio) / Math.max(1, audio.length));
}

/**
 * Return the loudness on a scale that moves as ears hear: 0 at -60 dB and below, 1 at full scale.
 *
 * @param {Float32Array} audio
 */
export function loudness(audio) {
  return ofHearing(rms(audio));
}

/** @param {number} amplitude root mean square */
function ofHearing(amplitude) {
  const decibels = 20 * Math.log10(amplitude + 1e-9);
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}

/** @param {Float32Array} audio */
function sumOfSquares(audio) {
  return audio.reduce((sum, sample) => sum + sample * sample, 0);
}
