// A file in the place of the microphone: decoded by the browser, and given out at the pace that is wanted.

import { fill, gettext } from "../lib/words.js";

const RATE = 16000;
const PIECE = 1600; // 100 ms
const LOOK_MS = 100;
const LARGEST = 1024 ** 3; // bytes; browsers decode files as a whole

export class FileError extends Error {}

export class FileAudio {
  // `isWanted()` says whether audio may come now; `onEnd()` is called after the last piece of it.
  constructor(file, { isInRealTime, isWanted, onAudio, onEnd }) {
    Object.assign(this, { file, isInRealTime, isWanted, onAudio, onEnd });
    this.position = 0; // samples given out
    this.due = 0; // samples that real time would have given out
  }

  // Raises FileError.
  async start() {
    if (this.file.size > LARGEST) throw new FileError(fill(gettext("%(name)s is larger than 1 GB. Split it."), { name: this.file.name }));
    this.channels = await decode(this.file);
    this.lookedAt = performance.now();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  get length() {
    return this.channels[0].length;
  }

  // Timers of pages that nobody looks at are slow; whoever hears from the server calls this too.
  look() {
    if (!this.timer) return;
    const now = performance.now();
    if (this.isWanted()) this.due += ((now - this.lookedAt) * RATE) / 1000;
    this.lookedAt = now;
    while (this.isWanted() && this.position < this.length && (!this.isInRealTime || this.position + PIECE <= this.due)) {
      this.onAudio(mono(this.channels, this.position, Math.min(this.position + PIECE, this.length)));
      this.position = Math.min(this.position + PIECE, this.length);
    }
    if (this.position < this.length) return;
    this.stop();
    this.onEnd();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }
}

// The file's channels at 16 kHz.
async function decode(file) {
  try {
    const audio = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer());
    return Array.from({ length: audio.numberOfChannels }, (_, channel) => audio.getChannelData(channel));
  } catch {
    throw new FileError(
      fill(
        gettext("%(name)s holds no audio that this browser can read. Browsers read WAV, MP3, M4A, FLAC, Ogg and WebM."),
        { name: file.name },
      ),
    );
  }
}

function mono(channels, from, to) {
  if (channels.length === 1) return channels[0].slice(from, to);
  const mixed = new Float32Array(to - from);
  for (const channel of channels) {
    for (let at = from; at < to; at += 1) mixed[at - from] += channel[at] / channels.length;
  }
  return mixed;
}
