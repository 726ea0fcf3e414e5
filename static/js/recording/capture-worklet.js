// On the audio thread: the microphone's blocks of 128 samples, at 16 kHz and in pieces worth a message.

/** @import { Samples } from "./audio.js" */

import { mono, PIECE, Pieces, SAMPLE_RATE } from "./audio.js";
import { Resampler } from "./resample.js";

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, SAMPLE_RATE);
    this.pieces = new Pieces(PIECE, (piece) => this.port.postMessage(piece, [piece.buffer]));
  }

  /** @param {Samples[][]} inputs */
  process([channels]) {
    if (channels?.length) this.pieces.add(this.resampler.process(mono(channels)));
    return true;
  }
}

registerProcessor("capture", Capture);
