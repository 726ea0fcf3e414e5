// The microphone: asking for it, listening to it, saying clearly why it cannot be had.

/** @import { Samples } from "./audio.js" */

/**
 * @typedef {object} Levels loudness from 0 to 1
 * @property {number} microphone
 * @property {number | null} computer null while it is not heard
 */

import { element } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { SAMPLE_RATE } from "./audio.js";
import { openComputerSound } from "./computer-sound.js";

export class MicrophoneError extends Error {}

/** Return why no page like this one can have the microphone in this browser; "" if it can. */
export function whyImpossible() {
  if (!isSecureContext) {
    return fill(
      gettext(
        "Browsers allow the microphone only on pages that come over HTTPS or from this very computer. " +
          "This page came over plain HTTP from %(host)s: serve it over HTTPS, or open it as http://localhost on the server itself.",
      ),
      { host: location.host },
    );
  }
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) {
    return gettext("This browser cannot record. A current Firefox, Chrome, Edge or Safari can.");
  }
  return "";
}

/**
 * Put the microphones into a select. Browsers tell their names only once one was allowed.
 *
 * @param {HTMLSelectElement} select
 * @param {string} [chosen] device id
 * @returns {Promise<boolean>} whether their names are known
 */
export async function fillMicrophones(select, chosen = "") {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const named = devices.filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label);
  select.replaceChildren(
    ...named.map(({ deviceId, label }) => element("option", { value: deviceId, selected: deviceId === chosen }, label)),
  );
  return named.length > 0;
}

export class Microphone {
  /** @type {MediaStream | null} */
  stream = null;
  /** What the computer plays, which is heard as well. @type {MediaStream | null} */
  computer = null;
  /** @type {AudioContext | null} */
  context = null;
  /** @type {AudioWorkletNode | null} */
  capture = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  computerSource = null;

  /**
   * @param {object} listener
   * @param {(audio: Samples, levels: Levels) => void} listener.onAudio gets 16 kHz in pieces of 100 ms
   * @param {() => void} listener.onLost the device is gone
   * @param {() => void} [listener.onUnshared] the computer is not heard any more
   */
  constructor({ onAudio, onLost, onUnshared = () => {} }) {
    this.onAudio = onAudio;
    this.onLost = onLost;
    this.onUnshared = onUnshared;
  }

  /**
   * Listen. Throws MicrophoneError.
   *
   * @param {string} [deviceId] any microphone if left out
   */
  async start(deviceId = "") {
    await this.stopListening();
    this.stream = await openStream(deviceId);
    this.stream.getAudioTracks()[0].addEventListener("ended", () => this.onLost());
    try {
      this.context = await this.connect(this.stream, { sampleRate: SAMPLE_RATE });
    } catch {
      // Some browsers do not connect a microphone to another rate than its own; the worklet resamples then.
      this.context = await this.connect(this.stream, {});
    }
  }

  /**
   * @param {MediaStream} stream
   * @param {AudioContextOptions} options
   */
  async connect(stream, options) {
    const context = new AudioContext({ latencyHint: "interactive", ...options });
    try {
      const source = context.createMediaStreamSource(stream);
      await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
      const capture = new AudioWorkletNode(context, "capture", { numberOfInputs: 2, numberOfOutputs: 0 });
      capture.port.onmessage = ({ data: { audio, levels } }) => this.onAudio(audio, levels);
      source.connect(capture);
      this.capture = capture;
      if (this.computer) this.hearComputer(context, this.computer);
      await context.resume();
      return context;
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  get deviceId() {
    return this.stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** Hear as well what the computer plays. Throws SharingError. */
  async share() {
    this.unshare();
    const shared = await openComputerSound();
    this.computer = shared;
    shared.getAudioTracks()[0].addEventListener("ended", () => {
      if (this.computer !== shared) return;
      this.unshare();
      this.onUnshared();
    });
    if (this.context) this.hearComputer(this.context, shared);
  }

  /** Hear the microphone alone. */
  unshare() {
    for (const track of this.computer?.getTracks() ?? []) track.stop();
    this.computer = null;
    this.computerSource?.disconnect();
    this.computerSource = null;
  }

  /**
   * @param {AudioContext} context
   * @param {MediaStream} shared
   */
  hearComputer(context, shared) {
    if (!this.capture) return;
    this.computerSource = context.createMediaStreamSource(shared);
    this.computerSource.connect(this.capture, 0, 1);
  }

  async stop() {
    this.unshare();
    await this.stopListening();
  }

  async stopListening() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.capture = null;
    this.computerSource = null;
    await this.context?.close();
    this.context = null;
  }
}

/** @param {string} deviceId */
async function openStream(deviceId) {
  // As the room sounds: what browsers do for telephone calls costs recognition more than it gains.
  /** @type {MediaTrackConstraints} */
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true };
  if (deviceId) audio.deviceId = { exact: deviceId };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(reason(error));
  }
}

/** @param {unknown} error */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return gettext(
        "The browser was not allowed to use the microphone. Allow it with the icon next to the address, then start again.",
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return gettext("No microphone was found. Connect one, then start again.");
    case "NotReadableError":
      return gettext("A microphone was found but cannot be read: another program may be using it.");
    default:
      return String(error);
  }
}
