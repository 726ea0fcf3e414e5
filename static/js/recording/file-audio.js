// A file in the place of the microphone: decoded by the browser, and given out at the pace that is wanted.

/** @import { Samples } from "./audio.js" */

import { fill, gettext } from "../lib/words.js";
import { SAMPLE_RATE } from "./audio.js";
import { Playout } from "./playout.js";

const LOOK_MS = 100;
const MAX_BYTES = 1024 ** 3; // browsers decode files as a whole

export class FileError extends Error {}

export class FileAudio {
  /** @type {Playout | undefined} */
  playout;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /**
   * @param {File} file
   * @param {object} parts
   * @param {boolean} parts.isInRealTime
   * @param {() => boolean} parts.isWanted whether audio may come now
   * @param {(audio: Samples) => void} parts.onAudio gets 16 kHz in pieces of 100 ms
   * @param {() => void} parts.onEnd called after the last piece
   */
  constructor(file, parts) {
    this.file = file;
    this.parts = parts;
  }

  /** Decode the file, and begin to give it out. Throws FileError. */
  async start() {
    const { name, size } = this.file;
    if (size > MAX_BYTES) throw new FileError(fill(gettext("%(name)s is larger than 1 GB. Split it."), { name }));
    this.playout = new Playout(await decode(this.file), this.parts, performance.now());
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Samples of the file. */
  get length() {
    return this.playout?.length ?? 0;
  }

  /** Give out what may come by now. Timers of pages that nobody looks at are slow: whoever hears from the server calls this too. */
  look() {
    if (!this.playout || this.timer === undefined) return;
    this.playout.look(performance.now());
    if (!this.playout.isOver) return;
    this.stop();
    this.parts.onEnd();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/**
 * Return the file's channels at 16 kHz.
 *
 * @param {File} file
 */
async function decode(file) {
  try {
    const audio = await new OfflineAudioContext(1, 1, SAMPLE_RATE).decodeAudioData(await file.arrayBuffer());
    return Array.from({ length: audio.numberOfChannels }, (_, channel) => audio.getChannelData(channel));
  } catch {
    throw new FileError(
      fill(
        gettext(
          "%(name)s contains no audio that this browser can read. Browsers read WAV, MP3, M4A, FLAC, Ogg and WebM.",
        ),
        { name: file.name },
      ),
    );
  }
}
