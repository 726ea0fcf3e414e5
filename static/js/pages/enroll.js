// Recording somebody's voice in the browser: the take becomes the form's file, as if it had been chosen.

/** @import { Samples } from "../recording/audio.js" */

import { clock } from "../lib/clock.js";
import { byId, descendant } from "../lib/dom.js";
import { gettext } from "../lib/words.js";
import { rms, SAMPLE_RATE } from "../recording/audio.js";
import { fillMicrophones, Microphone, MicrophoneError, whyImpossible } from "../recording/microphone.js";
import { wavFile } from "../recording/wav.js";

const MIN_SURE_S = 10;
const MAX_S = 60;
const LEVEL_GAIN = 4;

class Take {
  /** @type {Samples[]} */
  pieces = [];
  isRecording = false;

  constructor() {
    const form = byId("enroll", HTMLFormElement);
    this.file = descendant(form, "[name=recording]", HTMLInputElement);
    this.file.required = false; // it may be folded away, where a browser says nothing
    this.source = descendant(form, "[name=source]", HTMLInputElement);
    this.button = byId("record");
    this.level = byId("level", HTMLMeterElement);
    this.select = byId("microphones", HTMLSelectElement);
    this.microphone = new Microphone({ onAudio: (audio) => this.hear(audio), onLost: () => this.stop() });
    this.button.addEventListener("click", () => (this.isRecording ? this.stop() : this.start()));
    this.select.addEventListener("change", () => this.isRecording && this.start());
    this.file.addEventListener("change", () => this.chosen());
    form.addEventListener("submit", (event) => this.check(event));
  }

  get seconds() {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0) / SAMPLE_RATE;
  }

  async start() {
    this.pieces = [];
    this.say("");
    try {
      await this.microphone.start(this.select.value);
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.say(error.message);
      return;
    }
    this.show(true);
    this.select.hidden = !(await fillMicrophones(this.select, this.microphone.deviceId));
  }

  /** @param {Samples} audio */
  hear(audio) {
    if (!this.isRecording) return;
    this.pieces.push(audio);
    this.level.value = Math.min(1, LEVEL_GAIN * rms(audio));
    byId("elapsed").textContent = clock(1000 * this.seconds);
    if (this.seconds >= MAX_S) this.stop();
  }

  async stop() {
    this.show(false);
    await this.microphone.stop();
    if (!this.pieces.length) return;
    const file = wavFile(this.pieces, SAMPLE_RATE, "recording.wav");
    const files = new DataTransfer();
    files.items.add(file);
    this.file.files = files.files;
    this.source.value = "microphone";
    byId("playback", HTMLAudioElement).src = URL.createObjectURL(file);
    byId("take").hidden = false;
    this.say(
      this.seconds < MIN_SURE_S ? gettext("That was short: ten seconds or more are recognised more reliably.") : "",
    );
  }

  /** @param {boolean} isRecording */
  show(isRecording) {
    this.isRecording = isRecording;
    this.button.setAttribute("aria-pressed", String(isRecording));
    this.button.textContent = isRecording ? gettext("Stop") : gettext("Record again");
    if (!isRecording) this.level.value = 0;
  }

  /** Learn that a file from disk takes the place of the take. */
  chosen() {
    this.source.value = "upload";
    byId("take").hidden = true;
  }

  /** @param {SubmitEvent} event */
  check(event) {
    if (this.file.files?.length) return;
    event.preventDefault();
    this.say(
      this.isRecording ? gettext("Stop the recording first.") : gettext("Record something first, or choose a file."),
    );
  }

  /** @param {string} words */
  say(words) {
    byId("recorder-note").textContent = words;
  }
}

const reason = whyImpossible();
if (reason) {
  byId("why-not").textContent = reason;
  byId("why-not").hidden = false;
  byId("recorder").hidden = true;
} else {
  new Take();
}
