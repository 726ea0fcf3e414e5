// Recording somebody's voice in the browser: the take becomes the form's file, as if it had been chosen.

import { clock } from "../lib/clock.js";
import { Microphone, MicrophoneError, whyImpossible } from "../recording/microphone.js";
import { fillMicrophones } from "../recording/recorder.js";
import { gettext } from "../lib/words.js";
import { wavFile } from "../recording/wav.js";

const RATE = 16000;
const LONGEST_S = 60;

const byId = (id) => document.getElementById(id);

class Take {
  constructor() {
    this.file = byId("enroll").elements.recording;
    this.source = byId("enroll").elements.source;
    this.button = byId("record");
    this.select = byId("microphones");
    this.pieces = [];
    this.isRecording = false;
    this.microphone = new Microphone({ onAudio: (audio) => this.hear(audio), onLost: () => this.stop() });
    this.button.addEventListener("click", () => (this.isRecording ? this.stop() : this.start()));
    this.select.addEventListener("change", () => this.isRecording && this.start());
    this.file.addEventListener("change", () => this.chosen());
  }

  get seconds() {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0) / RATE;
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

  hear(audio) {
    if (!this.isRecording) return;
    this.pieces.push(audio);
    byId("level").value = Math.min(1, 4 * rms(audio));
    byId("elapsed").textContent = clock(1000 * this.seconds);
    if (this.seconds >= LONGEST_S) this.stop();
  }

  async stop() {
    this.show(false);
    await this.microphone.stop();
    if (!this.pieces.length) return;
    const file = wavFile(this.pieces, RATE, "recording.wav");
    const files = new DataTransfer();
    files.items.add(file);
    this.file.files = files.files;
    this.source.value = "microphone";
    byId("playback").src = URL.createObjectURL(file);
    byId("take").hidden = false;
    this.say(this.seconds < 10 ? gettext("That was short: ten seconds or more are recognised more surely.") : "");
  }

  show(isRecording) {
    this.isRecording = isRecording;
    this.button.setAttribute("aria-pressed", isRecording);
    this.button.textContent = isRecording ? gettext("Stop") : gettext("Record again");
    if (!isRecording) byId("level").value = 0;
  }

  // A file from disk takes the place of the take.
  chosen() {
    this.source.value = "upload";
    byId("take").hidden = true;
  }

  say(words) {
    byId("recorder-note").textContent = words;
  }
}

function rms(audio) {
  return Math.sqrt(audio.reduce((sum, value) => sum + value * value, 0) / audio.length);
}

const reason = whyImpossible();
if (reason) {
  byId("why-not").textContent = reason;
  byId("why-not").hidden = false;
  byId("recorder").hidden = true;
} else {
  new Take();
}
