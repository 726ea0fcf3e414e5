// Playing the recording on a session's page: the bar below, and the word that is being heard in the text.

import { getBytes, getJson, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { Player } from "./player.js";
import { lineAt, wordAt, wordAtCharacter } from "./timeline.js";
import { Waveform } from "./waveform.js";
import { fill, gettext } from "../lib/words.js";

const byId = (id) => document.getElementById(id);
const STEP_MS = 5000;
const PEAKS_EVERY_MS = 5000;
const READING_MS = 6000;

export class PlayerBar {
  constructor({ data, view }) {
    this.data = data;
    this.view = view;
    this.bar = byId("player");
    this.words = new Map(); // of lines, by id and revision
    this.requests = new Map();
    this.scrolledAt = -Infinity;
    this.player = new Player(byId("audio"), (samples) => sessionUrl(data, "audio.wav", { until: samples }));
    this.waveform = new Waveform(byId("waveform"), {
      colour: (line) => view.view.colourOf(line),
      onSeek: (ms) => this.player.seek(ms),
    });
    this.highlight = globalThis.Highlight ? new Highlight() : null;
    if (this.highlight) CSS.highlights.set("spoken", this.highlight);
    this.player.addEventListener("change", () => this.show());
    byId("play").addEventListener("click", () => this.player.toggle());
    byId("rate").addEventListener("change", ({ target }) => (this.player.rate = Number(target.value)));
    byId("waveform").addEventListener("keydown", (event) => this.sliderKey(event));
    for (const event of ["wheel", "touchmove"]) {
      addEventListener(event, () => (this.scrolledAt = performance.now()), { passive: true });
    }
    this.transcriptChanged();
    this.loadPeaks();
  }

  // The transcript tells how much there is to hear: a line's audio is on disk before the line is told.
  transcriptChanged() {
    const lines = this.view.transcript.lines;
    const heard = Math.max(this.data.recordingMs ?? 0, ...lines.slice(-3).map((line) => line.end_ms));
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

  // The session has ended: all of the recording is there.
  async ended() {
    clearTimeout(this.peaksTimer);
    await this.loadPeaks();
    this.player.setAvailable(this.waveform.peaks.length * 100);
  }

  async playLine(line) {
    await this.player.playFrom(line.start_ms);
  }

  async playCharacter(line, offset) {
    const word = wordAtCharacter(await this.wordsOf(line), offset);
    await this.player.playFrom(word ? word[2] : line.start_ms);
  }

  step(direction) {
    this.player.seek(this.player.ms + direction * STEP_MS);
  }

  // Showing.

  show() {
    const { ms, availableMs, isPlaying } = this.player;
    byId("play").setAttribute("aria-label", isPlaying ? gettext("Pause") : gettext("Play"));
    byId("play").dataset.playing = isPlaying;
    byId("position").textContent = clock(ms);
    byId("duration").textContent = clock(availableMs);
    this.waveform.setPosition(ms, availableMs);
    const slider = byId("waveform");
    slider.setAttribute("aria-valuemax", Math.round(availableMs / 1000));
    slider.setAttribute("aria-valuenow", Math.round(ms / 1000));
    slider.setAttribute("aria-valuetext", fill(gettext("%(now)s of %(all)s"), { now: clock(ms), all: clock(availableMs) }));
    this.showSpoken();
    if (isPlaying) this.frame ??= requestAnimationFrame(() => this.animate());
  }

  // Four times a second, as the audio element reports, is too slow for words.
  animate() {
    this.frame = undefined;
    if (this.player.isPlaying) this.show();
  }

  showSpoken() {
    const { ms, isPlaying } = this.player;
    const line = isPlaying || ms > 0 ? lineAt(this.view.transcript.lines, ms) : null;
    this.view.view.setPlaying(line, { follow: isPlaying && !this.isReading });
    if (!this.highlight) return;
    this.highlight.clear();
    if (!isPlaying || !line || ms > line.end_ms) return;
    const words = this.words.get(keyOf(line));
    if (!words) {
      this.wordsOf(line);
      return;
    }
    const word = wordAt(words, ms);
    const node = this.view.view.textNodeOf(line);
    if (!word || !node || word[1] > node.length) return;
    const range = new Range();
    range.setStart(node, word[0]);
    range.setEnd(node, word[1]);
    this.highlight.add(range);
  }

  // Who scrolls reads something else: the page does not pull them back for a while.
  get isReading() {
    return performance.now() - this.scrolledAt < READING_MS;
  }

  // When each word of a line was said.
  wordsOf(line) {
    const key = keyOf(line);
    if (!this.requests.has(key)) this.requests.set(key, this.askForWords(line, key));
    return this.requests.get(key);
  }

  async askForWords(line, key) {
    const { words } = await getJson(sessionUrl(this.data, `lines/${line.id}/words`));
    this.words.set(key, words);
    return words;
  }

  sliderKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -6, PageUp: 6 };
    if (event.key in steps) this.step(steps[event.key]);
    else if (event.key === "Home") this.player.seek(0);
    else if (event.key === "End") this.player.seek(this.player.availableMs);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function keyOf(line) {
  return `${line.id}:${line.revision}`;
}
