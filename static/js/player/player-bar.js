// Playing the recording on a session's page: the bar below, and the word that is being heard in the text.

/** @import { PageData } from "../connection/messages.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Word } from "./timeline.js" */

import { getBytes, getJson, RequestError, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { byId, rangeOf } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";
import { Player } from "./player.js";
import { linesAt, MS_PER_PEAK, soundingAt, wordAt, wordAtCharacter } from "./timeline.js";
import { Waveform } from "./waveform.js";

const STEP_MS = 5000;
const PEAKS_EVERY_MS = 5000;
const READING_MS = 6000;
const ASK_AGAIN_MS = 2000;

/** Steps by the keys of the waveform, which is a slider. */
const SLIDER_STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
  ["ArrowDown", -1],
  ["ArrowUp", 1],
  ["PageDown", -6],
  ["PageUp", 6],
]);

export class PlayerBar {
  /** @type {Map<string, Word[]>} of lines, by id and revision */
  words = new Map();
  /** @type {Map<string, Promise<Word[]>>} */
  requests = new Map();
  scrolledAt = -Infinity;
  /** Whether somebody said that nobody but they hear what is played. */
  hasHeadphones = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  peaksTimer;
  /** @type {number | undefined} */
  frame;

  /** @param {{data: PageData, view: SessionView}} parts */
  constructor({ data, view }) {
    this.data = data;
    this.view = view;
    this.bar = byId("player");
    this.playButton = byId("play");
    this.slider = byId("waveform", HTMLCanvasElement);
    this.player = new Player(byId("audio", HTMLAudioElement), (samples) =>
      sessionUrl(data, "audio.wav", { until: samples }),
    );
    this.waveform = new Waveform(this.slider, {
      colour: (line) => view.transcriptView.colourOf(line),
      onSeek: (ms) => this.player.seek(ms),
    });
    this.player.mayPlay = (again) => this.mayPlay(again);
    this.highlight = globalThis.Highlight ? new Highlight() : null;
    if (this.highlight) CSS.highlights.set("spoken", this.highlight);
    this.listen();
    this.transcriptChanged();
    if (data.recordingMs) this.loadPeaks();
  }

  listen() {
    const rate = byId("rate", HTMLSelectElement);
    this.player.addEventListener("change", () => this.show());
    this.playButton.addEventListener("click", () => this.player.toggle());
    rate.addEventListener("change", () => (this.player.rate = Number(rate.value)));
    this.slider.addEventListener("keydown", (event) => this.sliderKey(event));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.devicesChanged());
    for (const event of ["wheel", "touchmove"]) {
      addEventListener(event, () => (this.scrolledAt = performance.now()), { passive: true });
    }
  }

  /**
   * Tell whether the recording may sound: not into this page's own microphone, which would transcribe it again.
   *
   * @param {() => void} again plays after all
   */
  mayPlay(again) {
    if (!this.view.isListening || this.hasHeadphones) return true;
    toast(
      gettext("This page is recording, and its microphone would hear what is played. Pause first, or wear headphones."),
      {
        action: gettext("I wear headphones"),
        onAction: () => {
          this.hasHeadphones = true;
          again();
        },
      },
    );
    return false;
  }

  listeningChanged() {
    if (this.view.isListening && !this.hasHeadphones) this.player.pause();
  }

  /** Ask again: the headphones may be what was unplugged. */
  devicesChanged() {
    this.hasHeadphones = false;
    this.listeningChanged();
  }

  /** Learn from the transcript how much there is to hear: a line's audio is on disk before the line is told. */
  transcriptChanged() {
    const lines = this.view.transcript.lines;
    const heard = Math.max(this.data.recordingMs, ...lines.slice(-3).map((line) => line.end_ms));
    this.player.setAvailable(heard);
    this.bar.hidden = !this.player.availableMs;
    this.waveform.setLines(lines);
    this.show();
    if (this.view.isLive) this.peaksTimer ??= setTimeout(() => this.loadPeaks(), PEAKS_EVERY_MS);
  }

  async loadPeaks() {
    this.peaksTimer = undefined;
    const peaks = await getBytes(sessionUrl(this.data, "peaks", { first: this.waveform.peaks.length }));
    if (peaks.length) this.waveform.addPeaks(peaks);
  }

  /** Learn that the session has ended: all of the recording is there. */
  async ended() {
    clearTimeout(this.peaksTimer);
    await this.loadPeaks();
    this.player.setAvailable(this.waveform.peaks.length * MS_PER_PEAK);
  }

  /** @param {KnownLine} line */
  async playLine(line) {
    await this.player.playFrom(line.start_ms);
  }

  /**
   * @param {KnownLine} line
   * @param {number} offset of a character in its text
   */
  async playCharacter(line, offset) {
    await this.player.playFrom(this.momentOf(line, offset));
  }

  /**
   * Return when a character of a line was said.
   *
   * @param {KnownLine} line
   * @param {number} offset
   */
  async momentOf(line, offset) {
    const word = wordAtCharacter(await this.wordsOf(line), offset);
    return word ? word[2] : line.start_ms;
  }

  /** @param {number} direction */
  step(direction) {
    this.player.seek(this.player.ms + direction * STEP_MS);
  }

  // Showing.

  show() {
    const { ms, availableMs, isPlaying } = this.player;
    this.playButton.setAttribute("aria-label", isPlaying ? gettext("Pause") : gettext("Play"));
    this.playButton.dataset.playing = String(isPlaying);
    byId("position").textContent = clock(ms);
    byId("duration").textContent = clock(availableMs);
    this.waveform.setPosition(ms, availableMs);
    this.slider.setAttribute("aria-valuemax", String(Math.round(availableMs / 1000)));
    this.slider.setAttribute("aria-valuenow", String(Math.round(ms / 1000)));
    this.slider.setAttribute(
      "aria-valuetext",
      fill(gettext("%(now)s of %(all)s"), { now: clock(ms), all: clock(availableMs) }),
    );
    this.showSpoken();
    // Four times a second, as the audio element reports, is too slow for words.
    if (isPlaying) this.frame ??= requestAnimationFrame(() => this.animate());
  }

  animate() {
    this.frame = undefined;
    if (this.player.isPlaying) this.show();
  }

  showSpoken() {
    const { ms, isPlaying } = this.player;
    const lines = isPlaying || ms > 0 ? linesAt(this.view.transcript.lines, ms) : [];
    this.view.transcriptView.setPlaying(lines, ms, { follow: isPlaying && !this.isReading });
    this.highlight?.clear();
    const spoken = isPlaying ? lines.filter((line) => ms <= line.end_ms) : [];
    for (const line of spoken) this.markWord(line, ms);
    this.view.lightPeople(soundingAt(lines, ms));
  }

  /**
   * @param {KnownLine} line
   * @param {number} ms
   */
  markWord(line, ms) {
    if (!this.highlight) return;
    const words = this.words.get(keyOf(line));
    if (!words) {
      this.wordsOf(line);
      return;
    }
    const word = wordAt(words, ms);
    const node = this.view.transcriptView.textNodeOf(line);
    if (word && node && word[1] <= node.length) this.highlight.add(rangeOf(node, word[0], word[1]));
  }

  /** Whoever scrolls reads something else: the page does not pull them back for a while. */
  get isReading() {
    return performance.now() - this.scrolledAt < READING_MS;
  }

  /**
   * Return when each word of a line was said; no words while the server cannot tell.
   *
   * @param {KnownLine} line
   */
  wordsOf(line) {
    const key = keyOf(line);
    const asked = this.requests.get(key) ?? this.askForWords(line, key);
    this.requests.set(key, asked);
    return asked;
  }

  /**
   * @param {KnownLine} line
   * @param {string} key
   */
  async askForWords(line, key) {
    try {
      /** @type {{words: Word[]}} */
      const { words } = await getJson(sessionUrl(this.data, `lines/${line.id}/words`));
      this.words.set(key, words);
      return words;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setTimeout(() => this.requests.delete(key), ASK_AGAIN_MS);
      return [];
    }
  }

  /** @param {KeyboardEvent} event */
  sliderKey(event) {
    const steps = SLIDER_STEPS.get(event.key);
    if (steps) this.step(steps);
    else if (event.key === "Home") this.player.seek(0);
    else if (event.key === "End") this.player.seek(this.player.availableMs);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** @param {KnownLine} line */
function keyOf(line) {
  return `${line.id}:${line.revision}`;
}
