// The recording bar: what the sender does, for the person at the microphone.

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { MicrophoneError, microphones } from "./microphone.js";
import { Sender } from "./sender.js";
import { fill, gettext } from "../lib/words.js";

const byId = (id) => document.getElementById(id);

export class Recorder {
  constructor({ key, title, token, resume, view, note }) {
    this.view = view;
    this.note = note;
    this.bar = byId("recorder");
    this.sender = new Sender({ key, title, token, resume, marks: () => view.marks, listener: this });
    byId("pause").addEventListener("click", () => this.togglePause());
    byId("end").addEventListener("click", () => byId("end-dialog").showModal());
    byId("end-dialog").addEventListener("close", ({ target }) => target.returnValue === "end" && this.sender.end());
    this.select = this.bar.querySelector(".microphones");
    this.select.addEventListener("change", () => this.changeMicrophone());
    addEventListener("beforeunload", (event) => !this.sender.isSafe && event.preventDefault());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.sender.fileMs || this.listMicrophones());
  }

  // Raises MicrophoneError.
  async start(deviceId) {
    await this.sender.start(deviceId);
    this.bar.hidden = false;
    await this.listMicrophones();
  }

  // Raises FileError.
  async startFile(file, options) {
    await this.sender.startFile(file, options);
    this.bar.classList.add("of-file");
    this.bar.hidden = false;
  }

  async listMicrophones() {
    await fillMicrophones(this.select, this.sender.source.deviceId);
  }

  async changeMicrophone() {
    try {
      await this.sender.changeMicrophone(this.select.value);
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.note.say(error.message);
    }
  }

  togglePause() {
    if (this.sender.state === "paused") this.sender.goOn();
    else this.sender.pause();
  }

  // Listener of the sender.

  message(message) {
    const event = message.event ?? {};
    if (event.type === "hello" && !this.sender.fileMs) rememberSender(this.sender.key, event.resume);
    if (message.final === true) this.showLag(this.sender.elapsedMs - message.end_ms);
    this.view.receive(message);
  }

  connection(state, detail) {
    this.connectionState = state;
    this.note.show(state, detail, { keptMs: this.sender.unsentMs });
  }

  heard() {
    const { elapsedMs, fileMs } = this.sender;
    byId("elapsed").textContent = fileMs ? `${clock(elapsedMs)} / ${clock(fileMs)}` : clock(elapsedMs);
    if (this.connectionState === "waiting") this.note.show("waiting", null, { keptMs: this.sender.unsentMs });
  }

  level(value) {
    byId("level").value = value;
  }

  lost() {
    this.note.say(gettext("The microphone is gone. Choose another one to go on."));
    this.listMicrophones();
  }

  state(state) {
    const words = {
      recording: this.sender.fileMs ? gettext("Transcribing") : gettext("Recording"),
      paused: gettext("Paused"),
      interrupted: gettext("No microphone"),
      ending: gettext("Finishing"),
      ended: gettext("Ended"),
    };
    this.bar.dataset.state = state;
    byId("recorder-word").textContent = words[state];
    byId("pause").textContent = state === "paused" ? gettext("Go on") : gettext("Pause");
    byId("pause").disabled = !["recording", "paused"].includes(state);
    byId("end").disabled = ["ending", "ended"].includes(state);
    if (state === "ended") {
      this.bar.hidden = true;
      forgetSender(this.sender.key);
    }
  }

  showLag(ms) {
    const seconds = Math.max(0, ms / 1000).toFixed(1);
    byId("lag").textContent = fill(gettext("%(seconds)s s behind"), { seconds });
  }
}

// Put the microphones into a select; returns whether their names are known.
export async function fillMicrophones(select, chosen = "") {
  const devices = await microphones();
  select.replaceChildren(
    ...devices.map(({ deviceId, label }) =>
      element("option", { value: deviceId, selected: deviceId === chosen }, label),
    ),
  );
  return devices.length > 0;
}

// The right to go on after this page was reloaded.

const storageKey = (key) => `sender:${key}`;

export function rememberSender(key, resume) {
  sessionStorage.setItem(storageKey(key), resume);
}

export function rememberedSender(key) {
  return sessionStorage.getItem(storageKey(key)) ?? "";
}

function forgetSender(key) {
  sessionStorage.removeItem(storageKey(key));
}
