// Sending a microphone, or a file, to a session; what was not yet made safe is kept across lost connections.

/** @import { Fault, Hello, Message, SessionEnd } from "../connection/messages.js" */
/** @import { ConnectionState } from "../connection/session-socket.js" */
/** @import { Samples } from "./audio.js" */
/** @import { Levels } from "./microphone.js" */

import { SessionSocket, socketAddress } from "../connection/session-socket.js";
import { loudness, SAMPLE_RATE } from "./audio.js";
import { FileAudio } from "./file-audio.js";
import { Microphone } from "./microphone.js";
import { Outbox } from "./outbox.js";

const MAX_FRAME = SAMPLE_RATE; // samples in a message
const MAX_IN_FLIGHT = 256 * 1024; // bytes that may wait in the browser's socket
const MAX_KEPT = 60 * 60 * SAMPLE_RATE; // samples; four bytes each
const RESERVE = 70 * SAMPLE_RATE; // samples that the server has said it has, and might lose: a minute and a message
const MAX_OF_FILE = 2 * SAMPLE_RATE; // samples that wait to be sent; the rest is safe in its file
const BYTES_PER_SAMPLE = 4;
const PUMP_MS = 200;
const KEEP_ALIVE_MS = 15000;
const SILENT_MS = 12000;
const MAX_SILENT_MS = 60000;
const MAX_KEY_LENGTH = 64;
const MAX_KEYS = 50; // that are tried for a session that goes on with another

/** What may end a session though nobody wanted it: the recording goes on in another one. */
const UNASKED = ["absence", "limit"];
/** Faults of a key that belongs to something else. */
const TAKEN = ["bad_parameter", "forbidden", "session_ended"];

/** @typedef {"idle" | "recording" | "paused" | "interrupted" | "ending" | "ended"} SenderState */

/**
 * @typedef {object} SenderListener
 * @property {(message: Message) => void} message
 * @property {(state: ConnectionState, fault?: Fault) => void} connection
 * @property {(state: SenderState) => void} state
 * @property {(levels: Levels) => void} level
 * @property {() => void} heard called now and then
 * @property {() => void} lost the microphone is gone
 * @property {() => void} unshared the computer is not heard any more
 * @property {(earlier: string) => void} moved the recording goes on in another session than this one
 * @property {(pieces: Samples[]) => void} leftOver recorded, and in no session
 */

/**
 * @typedef {object} SenderParts
 * @property {string} key of the session
 * @property {string} [title]
 * @property {string} [models] name of the model set that is to recognise it
 * @property {string} [script] "simplified" or "traditional"
 * @property {string} [language] code of the language that is spoken
 * @property {string} [itn] "1" or "0": whether numbers are written in digits
 * @property {string} [translate] code of the language into which lines are translated; empty for none
 * @property {string} [hotwords] words that are likely to be said, with commas between them
 * @property {string[]} [expected] ids of the speakers who are expected
 * @property {string} [token]
 * @property {string} [resume] the right to take over from an earlier connection
 * @property {string} [continues] the right to go on with an earlier session
 * @property {() => number} attempt the number of a new connection, which grows
 * @property {() => {since: number, revision: number}} marks what the page knows already
 * @property {SenderListener} listener
 */

export class Sender {
  /** @type {SenderState} */
  state = "idle";
  outbox = new Outbox(MAX_KEPT, RESERVE);
  /** @type {Microphone | FileAudio | undefined} */
  source;
  isWelcome = false; // the server has said hello on this connection
  hasSaidClose = false;
  /** The right to go on with the session before this one. */
  continues;
  /** Sessions of this recording, with those whose keys were taken. */
  count = 1;
  /** Position up to which the server has the audio of this session. */
  received = 0;
  isWatchingScreen = false;
  silentMs = SILENT_MS;
  sentAt = 0;
  heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  /** @type {WakeLockSentinel | undefined} */
  wakeLock;

  /** @param {SenderParts} parts */
  constructor({
    key,
    title = "",
    models = "",
    script = "",
    language = "",
    itn = "",
    hotwords = "",
    translate = "",
    expected = [],
    token = "",
    resume = "",
    continues = "",
    attempt,
    marks,
    listener,
  }) {
    this.firstKey = key;
    this.key = key;
    this.resume = resume;
    this.continues = continues;
    this.listener = listener;
    const wishes = { title, models, script, language, itn, hotwords, translate, expected: expected.join(",") };
    this.address = () => this.addressWith({ wishes, token, attempt, marks });
    this.socket = this.newSocket();
  }

  /** @param {{wishes: Record<string, string>, token: string} & Pick<SenderParts, "attempt" | "marks">} parts */
  addressWith({ wishes, token, attempt, marks }) {
    const isNew = !this.resume && !this.continues; // the session keeps what it began with
    const rights = { token, resume: this.resume, continues: this.continues, attempt: attempt() };
    const known = this.count > 1 ? {} : marks(); // the page shows the first session
    return socketAddress(this.key, { mode: "sender", v: 2, ...(isNew ? wishes : {}), ...rights, ...known });
  }

  newSocket() {
    return new SessionSocket({
      address: this.address,
      onMessage: (message) => this.receive(message),
      onState: (state, fault) => this.connectionChanged(state, fault),
    });
  }

  /**
   * Send a microphone. Throws MicrophoneError, SharingError.
   *
   * @param {string} [deviceId] any microphone if left out
   * @param {{withComputer?: boolean}} [options] send what the computer plays as well
   */
  async start(deviceId = "", { withComputer = false } = {}) {
    const microphone = new Microphone({
      onAudio: (audio, levels) => this.hear(audio, levels),
      onLost: () => this.microphoneLost(),
      onUnshared: () => this.listener.unshared(),
    });
    this.source = microphone;
    try {
      if (withComputer) await microphone.share(); // first: browsers ask for it only right after a click
      await microphone.start(deviceId);
    } catch (error) {
      await microphone.stop();
      throw error;
    }
    this.begin();
  }

  /**
   * Send a file. Throws FileError.
   *
   * @param {File} file
   * @param {{isInRealTime: boolean}} options
   */
  async startFile(file, { isInRealTime }) {
    const source = new FileAudio(file, {
      isInRealTime,
      isWanted: () => this.isWelcome && this.state === "recording" && this.outbox.unsent < MAX_OF_FILE,
      onAudio: (audio) => this.hear(audio),
      onEnd: () => this.end(),
    });
    this.source = source;
    await source.start();
    this.begin();
  }

  begin() {
    this.setState("recording");
    this.socket.open();
    this.timer = setInterval(() => this.tick(), PUMP_MS);
    this.stayAwake();
  }

  /**
   * Go on with another microphone. Throws MicrophoneError.
   *
   * @param {string} deviceId
   */
  async changeMicrophone(deviceId) {
    if (!(this.source instanceof Microphone)) return;
    await this.source.start(deviceId);
    if (this.state === "interrupted") this.setState("recording");
  }

  /** Send what the computer plays as well. Throws SharingError. */
  async share() {
    if (this.source instanceof Microphone) await this.source.share();
  }

  unshare() {
    if (this.source instanceof Microphone) this.source.unshare();
  }

  pause() {
    if (this.state === "recording") this.setState("paused");
  }

  goOn() {
    if (this.state === "paused") this.setState("recording");
  }

  /** Say that the audio is over, once all of it was sent; the server answers when all of it is recognised. */
  end() {
    if (["ending", "ended"].includes(this.state)) return;
    this.setState("ending");
    this.source?.stop();
    this.pump();
  }

  get deviceId() {
    return this.source instanceof Microphone ? this.source.deviceId : "";
  }

  get isSharing() {
    return this.source instanceof Microphone && this.source.computer !== null;
  }

  get elapsedMs() {
    return (this.outbox.end * 1000) / SAMPLE_RATE;
  }

  /** Milliseconds of audio that the server does not have yet. */
  get unsentMs() {
    return ((this.outbox.unsent + this.socket.waiting / BYTES_PER_SAMPLE) * 1000) / SAMPLE_RATE;
  }

  /** Milliseconds of the file; 0 for a microphone. */
  get fileMs() {
    return this.source instanceof FileAudio ? (this.source.length * 1000) / SAMPLE_RATE : 0;
  }

  get isSafe() {
    return this.state === "idle" || this.state === "ended";
  }

  /** Milliseconds that did not fit on this page while the server could not be reached. */
  get lostMs() {
    return (this.outbox.lost * 1000) / SAMPLE_RATE;
  }

  get isReady() {
    return this.isWelcome && this.socket.isOpen;
  }

  // Audio.

  /**
   * @param {Samples} audio
   * @param {Levels} [levels]
   */
  hear(audio, levels = { microphone: loudness(audio), computer: null }) {
    if (this.state !== "recording") {
      this.listener.level({ microphone: 0, computer: 0 });
      return;
    }
    this.outbox.append(audio);
    this.listener.level(levels);
    this.pump();
  }

  microphoneLost() {
    if (this.state !== "recording" && this.state !== "paused") return;
    this.setState("interrupted");
    this.listener.lost();
  }

  pump() {
    while (this.isReady && this.socket.waiting < MAX_IN_FLIGHT) {
      const audio = this.outbox.take(MAX_FRAME);
      if (!audio) break;
      this.socket.send(audio);
      this.sentAt = Date.now();
    }
    if (this.state === "ending" && this.isReady && !this.outbox.unsent && !this.hasSaidClose) {
      this.hasSaidClose = true;
      this.socket.send("close");
    }
  }

  tick() {
    this.pump();
    this.keepAlive(Date.now());
    this.watchSilence(Date.now());
    this.listener.heard();
  }

  /** @param {number} now */
  keepAlive(now) {
    if (!this.isReady || now - this.sentAt <= KEEP_ALIVE_MS) return;
    this.socket.send(new ArrayBuffer(0));
    this.sentAt = now;
  }

  /**
   * Give up a network that went away without a word: while audio flows, the server is never silent for long.
   *
   * @param {number} now
   */
  watchSilence(now) {
    const isExpectingAnswers = this.state === "recording" && this.isWelcome;
    if (!isExpectingAnswers || now - this.heardAt <= this.silentMs) return;
    this.silentMs = Math.min(2 * this.silentMs, MAX_SILENT_MS);
    this.isWelcome = false;
    this.socket.renew();
  }

  // The connection.

  /** @param {Message} message */
  receive(message) {
    this.heardAt = Date.now();
    if (message.event?.type === "hello") this.welcome(message.event);
    if (message.event?.type === "ack") {
      this.outbox.forget(message.event.durable);
      this.received = message.event.received;
      this.silentMs = SILENT_MS;
    }
    if (this.source instanceof FileAudio) this.source.look();
    this.listener.message(message);
    if (message.event?.type === "session_end") this.sessionEnded(message.event);
  }

  /** @param {Hello} hello */
  welcome({ resume = "", resume_from: position = 0 }) {
    this.resume = resume;
    this.outbox.resumeFrom(position);
    this.isWelcome = true;
    this.hasSaidClose = false;
    this.sentAt = Date.now();
    this.pump();
  }

  /**
   * @param {ConnectionState} state
   * @param {Fault} [fault]
   */
  connectionChanged(state, fault) {
    if (state !== "open") this.isWelcome = false;
    if (state === "refused" && this.isKeyTaken(fault)) {
      const earlier = this.key;
      this.openNext();
      if (!this.continues) this.listener.moved(earlier);
      return;
    }
    if (state === "refused" || state === "done") this.finished();
    this.listener.connection(state, fault);
  }

  /**
   * Compare what the server has with what was recorded: it may be an end that nobody here wanted.
   *
   * @param {SessionEnd} end
   */
  sessionEnded({ received, closed_by: closedBy }) {
    this.received = received;
    const isOver = this.state === "ending" && received >= this.outbox.end;
    if (isOver || this.state === "ended" || !UNASKED.includes(closedBy)) {
      this.finished();
      return;
    }
    const earlier = this.key;
    this.outbox.startAgain(received);
    this.received = 0;
    this.continues = this.resume;
    this.resume = "";
    this.openNext();
    this.listener.moved(earlier);
  }

  /** @param {Fault} [fault] */
  isKeyTaken(fault) {
    if (this.resume || !fault || this.count >= MAX_KEYS) return false;
    // Without that right it may be ours that has ended: the server's first word was lost, and we were away too long.
    return this.continues ? TAKEN.includes(fault.code) : fault.code === "session_ended" && this.socket.attempts > 0;
  }

  openNext() {
    this.count += 1;
    const suffix = `-${this.count}`;
    this.key = this.firstKey.slice(0, MAX_KEY_LENGTH - suffix.length) + suffix;
    this.isWelcome = false;
    this.socket.close();
    this.socket = this.newSocket();
    this.socket.open();
  }

  finished() {
    if (this.state === "ended") return;
    const rest = this.outbox.after(this.received);
    if (rest.length) this.listener.leftOver(rest);
    clearInterval(this.timer);
    this.source?.stop();
    this.wakeLock?.release();
    this.setState("ended");
  }

  /** @param {SenderState} state */
  setState(state) {
    if (state === "recording") this.heardAt = Date.now(); // the server had nothing to say in a pause
    this.state = state;
    this.listener.state(state);
  }

  /** Keep the screen on: those that go dark take the microphone with them on some telephones. */
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
