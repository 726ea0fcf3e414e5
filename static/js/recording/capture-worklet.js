// On the audio thread: the microphone's blocks of 128 samples, at 16 kHz and in pieces worth a message.

import { Resampler } from "./resample.js";

const RATE = 16000;
const PIECE = 1600; // 100 ms

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.piece = new Float32Array(PIECE);
    this.length = 0;
  }

  process([channels]) {
    if (channels.length) this.add(this.resampler.process(mono(channels)));
    return true;
  }

  add(audio) {
    let at = 0;
    while (at < audio.length) {
      const part = audio.subarray(at, at + PIECE - this.length);
      this.piece.set(part, this.length);
      this.length += part.length;
      at += part.length;
      if (this.length === PIECE) this.send();
    }
  }

  send() {
    this.port.postMessage(this.piece, [this.piece.buffer]);
    this.piece = new Float32Array(PIECE);
    this.length = 0;
  }
}

function mono(channels) {
  if (channels.length === 1) return channels[0];
  const mixed = new Float32Array(channels[0].length);
  for (const channel of channels) for (let at = 0; at < mixed.length; at += 1) mixed[at] += channel[at] / channels.length;
  return mixed;
}

registerProcessor("capture", Capture);
