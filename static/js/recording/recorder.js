// The recording bar: what the sender does, for the person at the microphone.

/** @import { ConnectionNote } from "../connection/connection-note.js" */
/** @import { Fault, Message, PageData } from "../connection/messages.js" */
/** @import { ConnectionState } from "../connection/session-socket.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { Samples } from "./audio.js" */
/** @import { Levels } from "./microphone.js" */
/** @import { SenderState } from "./sender.js" */

import { sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { byId, descendant, element } from "../lib/dom.js";
import { fill, gettext, ngettext } from "../lib/words.js";
import { SAMPLE_RATE } from "./audio.js";
import { canShareSound, SharingError } from "./computer-sound.js";
import { fillMicrophones, MicrophoneError } from "./microphone.js";
import { forgetSender, nextAttempt, rememberSender } from "./remembering.js";
import { Progress } from "./progress.js";
import { Sender } from "./sender.js";
import { wavFile } from "./wav.js";

const SAMPLES_PER_MS = 16;
const MINUTE_MS = 60_000;
const MIN_LEFT_OVER_MS = 500; // less is on its way whenever somebody ends a meeting

/**
 * @typedef {object} RecorderParts
 * @property {string} key of the session
 * @property {string} [title]
 * @property {string} [models] name of the model set that is to recognise it
 * @property {string} [script] "simplified" or "traditional"
 * @property {string} [language] code of the language that is spoken
 * @property {string} [itn] "1" or "0": whether numbers are written in digits
 * @property {string} [hotwords] words that are likely to be said, with commas between them
 * @property {string[]} [expected] ids of the speakers who are expected
 * @property {string} [token]
 * @property {string} [resume] the right to take over from an earlier connection
 * @property {string} [continues] the right to go on with an earlier session
 * @property {SessionView} view
 * @property {ConnectionNote} note
 * @property {PageData} data of the page, which knows the addresses of sessions
 */

export class Recorder {
  /** @type {ConnectionState | undefined} */
  connectionState;
  /** @type {Progress | null} of a file; null for a microphone */
  progress = null;
  heardAt = 0;
  /** The recording goes on in another session than the page's. */
  hasMoved = false;

  /** @param {RecorderParts} parts */
  constructor({ data, view, note, ...session }) {
    this.view = view;
    this.note = note;
    this.bar = byId("recorder");
    this.pauseButton = byId("pause", HTMLButtonElement);
    this.endButton = byId("end", HTMLButtonElement);
    this.select = descendant(this.bar, ".microphones", HTMLSelectElement);
    this.shareButton = byId("share-sound", HTMLButtonElement);
    this.data = data;
    this.sender = new Sender({ ...session, attempt: nextAttempt, marks: () => view.marks, listener: this });
    view.nowMs = () => this.sender.elapsedMs;
    this.listen();
  }

  listen() {
    const dialog = byId("end-dialog", HTMLDialogElement);
    this.pauseButton.addEventListener("click", () => this.togglePause());
    this.endButton.addEventListener("click", () => dialog.showModal());
    new ResizeObserver(() => this.tellHeight()).observe(this.bar);
    dialog.addEventListener("close", () => dialog.returnValue === "end" && this.sender.end());
    this.select.addEventListener("change", () => this.changeMicrophone());
    this.shareButton.addEventListener("click", () => this.toggleSharing());
    addEventListener("beforeunload", (event) => !this.sender.isSafe && event.preventDefault());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.sender.fileMs || this.listMicrophones());
  }

  /**
   * Record a microphone. Throws MicrophoneError, SharingError.
   *
   * @param {string} [deviceId]
   * @param {{withComputer?: boolean}} [options]
   */
  async start(deviceId, options) {
    await this.sender.start(deviceId, options);
    this.bar.hidden = false;
    this.shareButton.hidden = !canShareSound();
    this.showSharing();
    await this.listMicrophones();
  }

  /**
   * Transcribe a file. Throws FileError.
   *
   * @param {File} file
   * @param {{isInRealTime: boolean}} options
   */
  async startFile(file, options) {
    await this.sender.startFile(file, options);
    this.progress = new Progress(this.sender.fileMs);
    byId("lag").removeAttribute("title"); // how far behind a file is means nothing
    this.heardAt = performance.now();
    this.bar.classList.add("of-file");
    this.bar.hidden = false;
  }

  /** Tell what sticks below the bar how tall it is: it wraps in narrow windows. */
  tellHeight() {
    document.documentElement.style.setProperty("--recorder-height", `${this.bar.offsetHeight}px`);
  }

  async listMicrophones() {
    await fillMicrophones(this.select, this.sender.deviceId);
  }

  async changeMicrophone() {
    try {
      await this.sender.changeMicrophone(this.select.value);
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.note.say(error.message);
    }
  }

  async toggleSharing() {
    try {
      if (this.sender.isSharing) this.sender.unshare();
      else await this.sender.share();
    } catch (error) {
      if (!(error instanceof SharingError)) throw error;
      this.note.say(error.message);
    }
    this.showSharing();
  }

  showSharing() {
    const { isSharing } = this.sender;
    this.shareButton.setAttribute("aria-pressed", String(isSharing));
    byId("computer").hidden = !isSharing;
  }

  togglePause() {
    if (this.sender.state === "paused") this.sender.goOn();
    else this.sender.pause();
  }

  // Listener of the sender.

  /** @param {Message} message */
  message(message) {
    if (message.event?.type === "hello" && !this.sender.fileMs) {
      rememberSender(this.sender.key, message.event.resume ?? "");
    }
    if (this.progress) this.noteProgress(this.progress, message);
    else if (message.final === true) this.showLag(this.sender.elapsedMs - message.end_ms);
    if (!this.hasMoved) this.view.receive(message); // later ones are of another meeting than the page's
  }

  /** @param {string} earlier key of the session that has ended */
  moved(earlier) {
    this.hasMoved = true;
    forgetSender(earlier);
    for (const button of this.bar.querySelectorAll("[data-bookmark]")) button.remove(); // they are for the page's meeting
    const note = byId("moved");
    const { key } = this.sender;
    const link = element("a", { href: sessionUrl({ ...this.data, key }, ""), target: "_blank", rel: "noopener" }, key);
    note.replaceChildren(
      gettext("This meeting has ended, because the connection was away for too long or the meeting very long."),
      " ",
      gettext("The recording goes on without a gap in another one; keep this page open:"),
      " ",
      link,
    );
    note.hidden = false;
  }

  /** @param {Samples[]} pieces */
  leftOver(pieces) {
    const ms = pieces.reduce((sum, piece) => sum + piece.length, 0) / SAMPLES_PER_MS;
    if (ms < MIN_LEFT_OVER_MS) return;
    const place = byId("left-over");
    const name = `${this.sender.key}.wav`;
    const save = () => saveFile(wavFile(pieces, SAMPLE_RATE, name));
    place.replaceChildren(
      element("span", {}, leftOverText(ms)),
      " ",
      element("button", { type: "button", onclick: save }, gettext("Save it as a file")),
    );
    place.hidden = false;
  }

  /**
   * @param {ConnectionState} state
   * @param {Fault} [fault]
   */
  connection(state, fault) {
    this.connectionState = state;
    this.note.show(state, fault, { unsentMs: this.sender.unsentMs, lostMs: this.sender.lostMs });
  }

  heard() {
    if (this.progress) this.showProgress(this.progress);
    else byId("elapsed").textContent = clock(this.sender.elapsedMs);
    if (this.connectionState === "waiting") this.connection("waiting"); // more waits by now
  }

  /** @param {Levels} levels */
  level({ microphone, computer }) {
    byId("level", HTMLMeterElement).value = microphone;
    byId("computer-level", HTMLMeterElement).value = computer ?? 0;
  }

  unshared() {
    this.note.say(gettext("This computer's sound is no longer shared. The microphone goes on."));
    this.showSharing();
  }

  lost() {
    this.note.say(gettext("The microphone was disconnected. Choose another one to continue."));
    this.listMicrophones();
  }

  /** @param {SenderState} state */
  state(state) {
    this.bar.dataset.state = state;
    this.view.setListening(state === "recording" && !this.sender.fileMs);
    byId("recorder-word").textContent = this.wordFor(state);
    this.pauseButton.textContent = state === "paused" ? gettext("Resume") : gettext("Pause");
    this.pauseButton.disabled = !["recording", "paused"].includes(state);
    this.endButton.disabled = ["ending", "ended"].includes(state);
    if (state !== "ended") return;
    this.bar.hidden = true;
    forgetSender(this.sender.key);
  }

  /** @param {SenderState} state */
  wordFor(state) {
    const words = {
      idle: "",
      recording: this.sender.fileMs ? gettext("Transcribing") : gettext("Recording"),
      paused: gettext("Paused"),
      interrupted: gettext("No microphone"),
      ending: gettext("Finishing"),
      ended: gettext("Ended"),
    };
    return words[state];
  }

  /**
   * @param {Progress} progress
   * @param {Message} message
   */
  noteProgress(progress, message) {
    if (message.final === true) progress.done(message.end_ms);
    if (message.event?.type === "ack") progress.done(message.event.durable / SAMPLES_PER_MS);
    this.showProgress(progress);
  }

  /** @param {Progress} progress */
  showProgress(progress) {
    const now = performance.now();
    if (this.sender.state !== "paused" && this.connectionState === "open") progress.took(now - this.heardAt);
    this.heardAt = now;
    byId("elapsed").textContent = `${clock(progress.doneMs)} / ${clock(progress.wholeMs)}`;
    byId("file-progress", HTMLProgressElement).value = progress.share;
    byId("lag").textContent = progress.leftMs === null ? "" : timeLeft(progress.leftMs);
  }

  /** @param {number} ms */
  showLag(ms) {
    const seconds = Math.max(0, ms / 1000).toFixed(1);
    byId("lag").textContent = fill(gettext("%(seconds)s s behind"), { seconds });
  }
}

/** @param {File} file */
function saveFile(file) {
  const url = URL.createObjectURL(file);
  element("a", { href: url, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), MINUTE_MS);
}

/** @param {number} ms */
function leftOverText(ms) {
  const seconds = Math.ceil(ms / 1000);
  const text = ngettext(
    "The last %(seconds)s second of your recording is not in this meeting.",
    "The last %(seconds)s seconds of your recording are not in this meeting.",
    seconds,
  );
  return fill(text, { seconds });
}

/** @param {number} ms */
function timeLeft(ms) {
  const minutes = Math.ceil(ms / MINUTE_MS);
  if (minutes <= 1) return gettext("less than a minute left");
  return fill(ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes), { count: minutes });
}
