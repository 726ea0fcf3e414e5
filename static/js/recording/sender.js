// Sends a microphone, or a file, to a session and keeps what was not yet made safe, across lost connections.

import { FileAudio } from "./file-audio.js";
import { Microphone } from "./microphone.js";
import { Outbox } from "./outbox.js";
import { SessionSocket, socketAddress } from "../connection/session-socket.js";

const RATE = 16000;
const LONGEST_FRAME = RATE; // samples in a message
const MOST_IN_FLIGHT = 256 * 1024; // bytes that may wait in the browser's socket
const KEPT = 60 * 60 * RATE; // samples; four bytes each
const MOST_OF_FILE = 2 * RATE; // samples that wait to be sent; the rest is safe in its file
const PUMP_MS = 200;
const KEEP_ALIVE_MS = 15000;
const SILENT_MS = 12000;
const LONGEST_SILENT_MS = 60000;

export class Sender {
  // `listener`: message(message), connection(state, detail), state(state), level(0..1), heard(), lost().
  constructor({ key, title = "", token = "", marks, resume = "", listener }) {
    this.key = key;
    this.listener = listener;
    this.state = "idle"; // idle, recording, paused, ending, ended
    this.outbox = new Outbox(KEPT);
    this.resume = resume;
    this.silentMs = SILENT_MS;
    this.socket = new SessionSocket({
      address: () =>
        socketAddress(this.key, { mode: "sender", v: 2, title, token, resume: this.resume, ...marks() }),
      onMessage: (message) => this.receive(message),
      onState: (state, detail) => this.connectionChanged(state, detail),
    });
  }

  // Raises MicrophoneError.
  async start(deviceId = "") {
    this.source = new Microphone({ onAudio: (audio) => this.hear(audio), onLost: () => this.microphoneLost() });
    await this.source.start(deviceId);
    this.begin();
  }

  // Raises FileError.
  async startFile(file, { isInRealTime }) {
    this.source = new FileAudio(file, {
      isInRealTime,
      isWanted: () => this.isWelcome && this.state === "recording" && this.outbox.unsent < MOST_OF_FILE,
      onAudio: (audio) => this.hear(audio),
      onEnd: () => this.end(),
    });
    await this.source.start();
    this.begin();
  }

  begin() {
    this.setState("recording");
    this.socket.open();
    this.timer = setInterval(() => this.tick(), PUMP_MS);
    this.stayAwake();
  }

  async changeMicrophone(deviceId) {
    await this.source.start(deviceId);
    if (this.state === "interrupted") this.setState("recording");
  }

  pause() {
    if (this.state === "recording") this.setState("paused");
  }

  goOn() {
    if (this.state === "paused") this.setState("recording");
  }

  // Say that the audio is over, once all of it was sent; the server answers when all of it is recognised.
  end() {
    if (["ending", "ended"].includes(this.state)) return;
    this.setState("ending");
    this.source?.stop();
    this.pump();
  }

  get elapsedMs() {
    return (this.outbox.end * 1000) / RATE;
  }

  // Milliseconds of audio that the server does not have yet.
  get unsentMs() {
    return ((this.outbox.unsent + this.socket.waiting / 4) * 1000) / RATE;
  }

  // Milliseconds of the file; nothing for a microphone.
  get fileMs() {
    return this.source?.length && (this.source.length * 1000) / RATE;
  }

  get isSafe() {
    return this.state === "idle" || this.state === "ended";
  }

  // Audio.

  hear(audio) {
    if (this.state !== "recording") {
      this.listener.level(0);
      return;
    }
    this.outbox.append(audio);
    this.listener.level(loudness(audio));
    this.pump();
  }

  microphoneLost() {
    if (this.state !== "recording" && this.state !== "paused") return;
    this.setState("interrupted");
    this.listener.lost();
  }

  pump() {
    while (this.isWelcome && this.socket.isOpen && this.socket.waiting < MOST_IN_FLIGHT) {
      const audio = this.outbox.take(LONGEST_FRAME);
      if (!audio) break;
      this.socket.send(audio);
      this.sentAt = Date.now();
    }
    if (this.state === "ending" && this.isWelcome && this.socket.isOpen && !this.outbox.unsent && !this.saidClose) {
      this.saidClose = true;
      this.socket.send("close");
    }
  }

  tick() {
    this.pump();
    const now = Date.now();
    if (this.isWelcome && this.socket.isOpen && now - this.sentAt > KEEP_ALIVE_MS) {
      this.socket.send(new ArrayBuffer(0));
      this.sentAt = now;
    }
    // A network that went away without a word: while audio flows, the server is never silent for long.
    const isExpectingAnswers = this.state === "recording" && this.isWelcome;
    if (isExpectingAnswers && now - this.heardAt > this.silentMs) {
      this.silentMs = Math.min(2 * this.silentMs, LONGEST_SILENT_MS);
      this.isWelcome = false;
      this.socket.renew();
    }
    this.listener.heard();
  }

  // The connection.

  receive(message) {
    this.heardAt = Date.now();
    const event = message.event ?? {};
    if (event.type === "hello") this.welcome(event);
    if (event.type === "ack") {
      this.outbox.forget(event.durable);
      this.silentMs = SILENT_MS;
    }
    if (event.type === "session_end") this.finished();
    this.source?.look?.();
    this.listener.message(message);
  }

  welcome({ resume, resume_from: position }) {
    this.resume = resume;
    this.outbox.resumeFrom(position);
    this.isWelcome = true;
    this.saidClose = false;
    this.sentAt = Date.now();
    this.pump();
  }

  connectionChanged(state, detail) {
    if (state !== "open") this.isWelcome = false;
    if (state === "refused" || state === "done") this.finished();
    this.listener.connection(state, detail);
  }

  finished() {
    if (this.state === "ended") return;
    clearInterval(this.timer);
    this.source?.stop();
    this.wakeLock?.release();
    this.setState("ended");
  }

  setState(state) {
    this.state = state;
    this.listener.state(state);
  }

  // Screens that go dark take the microphone with them on some telephones.
  async stayAwake() {
    try {
      this.wakeLock = await navigator.wakeLock?.request("screen");
    } catch {
      // Refused on low battery: the recording goes on as long as the screen does.
    }
    if (this.isWatchingScreen) return;
    this.isWatchingScreen = true;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && !this.isSafe) this.stayAwake();
    });
  }
}

// Root mean square on a scale that moves as ears hear: 0 at -60 dB, 1 at full scale.
function loudness(audio) {
  let sum = 0;
  for (const sample of audio) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / audio.length + 1e-9);
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}
