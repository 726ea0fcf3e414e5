// On the audio thread: blocks of 128 samples of the microphone, and of what the computer plays, laid over each other
// at 16 kHz and in pieces worth a message.

/** @import { Samples } from "./audio.js" */

import { Meter, mono, overlaid, PIECE, Pieces, SAMPLE_RATE } from "./audio.js";
import { Resampler } from "./resample.js";

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, SAMPLE_RATE);
    this.meters = [new Meter(), new Meter()];
    this.pieces = new Pieces(PIECE, (audio) => this.send(audio));
  }

  /** @param {Samples[][]} inputs the microphone and the computer, each with its channels; none while it is not there */
  process(inputs) {
    const sounds = [];
    for (const [at, channels] of inputs.entries()) {
      if (!channels.length) continue;
      const sound = mono(channels);
      this.meters[at].add(sound);
      sounds.push(sound);
    }
    if (sounds.length) this.pieces.add(this.resampler.process(overlaid(sounds)));
    return true;
  }

  /** @param {Samples} audio */
  send(audio) {
    const [microphone, computer] = this.meters.map((meter) => meter.take());
    this.port.postMessage({ audio, levels: { microphone: microphone ?? 0, computer } }, [audio.buffer]);
  }
}

registerProcessor("capture", Capture);
