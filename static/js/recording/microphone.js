// The microphone: asking for it, listening to it, saying clearly why it cannot be had.

import { fill, gettext } from "../lib/words.js";

const RATE = 16000;

export class MicrophoneError extends Error {}

// Why no page like this one can have the microphone in this browser; "" if it can.
export function whyImpossible() {
  if (!isSecureContext) {
    return fill(
      gettext(
        "Browsers give the microphone only to pages that come over HTTPS or from this very machine. " +
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

// The microphones there are; browsers tell their names only once one was allowed.
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "audioinput" && device.deviceId && device.label);
}

export class Microphone {
  // `onAudio(samples)` gets float32 at 16 kHz in pieces of 100 ms; `onLost()` is called when the device goes.
  constructor({ onAudio, onLost }) {
    this.onAudio = onAudio;
    this.onLost = onLost;
  }

  async start(deviceId = "") {
    await this.stop();
    this.stream = await openStream(deviceId);
    this.stream.getAudioTracks()[0].addEventListener("ended", () => this.onLost());
    try {
      this.context = await this.connect(new AudioContext({ sampleRate: RATE, latencyHint: "interactive" }));
    } catch {
      // Some browsers do not connect a microphone to another rate than its own; the worklet resamples then.
      this.context = await this.connect(new AudioContext({ latencyHint: "interactive" }));
    }
  }

  async connect(context) {
    try {
      const source = context.createMediaStreamSource(this.stream);
      await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
      const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
      capture.port.onmessage = ({ data }) => this.onAudio(data);
      source.connect(capture);
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

  async stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    await this.context?.close();
    this.context = null;
  }
}

async function openStream(deviceId) {
  // As the room sounds: what browsers do for telephone calls costs recognition more than it gains.
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true };
  if (deviceId) audio.deviceId = { exact: deviceId };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(reason(error));
  }
}

function reason(error) {
  switch (error.name) {
    case "NotAllowedError":
      return gettext("The browser was not allowed to use the microphone. Allow it by the symbol beside the address, and start again.");
    case "NotFoundError":
    case "OverconstrainedError":
      return gettext("There is no microphone. Plug one in, and start again.");
    case "NotReadableError":
      return gettext("The microphone is there but cannot be read: another program may be using it.");
    default:
      return `${error.name}: ${error.message}`;
  }
}
