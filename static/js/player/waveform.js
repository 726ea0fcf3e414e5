// The recording as a picture: its loudness over time, in the colour of whoever speaks. Click or drag to go there.

import { lineAt } from "./timeline.js";

const MS_PER_PEAK = 100;
const BAR_PX = 3;

export class Waveform {
  // `colour(line)` gives the CSS colour of a line's voice.
  constructor(canvas, { colour, onSeek }) {
    this.canvas = canvas;
    this.colour = colour;
    this.onSeek = onSeek;
    this.peaks = new Uint8Array();
    this.lines = [];
    this.ms = 0;
    this.lengthMs = 0;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    canvas.addEventListener("pointerdown", (event) => this.grabbed(event));
    canvas.addEventListener("pointermove", (event) => this.isGrabbed && this.seekTo(event));
    canvas.addEventListener("pointerup", () => (this.isGrabbed = false));
  }

  addPeaks(peaks) {
    const all = new Uint8Array(this.peaks.length + peaks.length);
    all.set(this.peaks);
    all.set(peaks, this.peaks.length);
    this.peaks = all;
    this.draw();
  }

  setLines(lines) {
    this.lines = lines;
    this.draw();
  }

  setPosition(ms, lengthMs) {
    const isSame = this.x(ms) === this.x(this.ms) && lengthMs === this.lengthMs;
    this.ms = ms;
    this.lengthMs = lengthMs;
    if (!isSame) this.draw();
  }

  x(ms) {
    return this.lengthMs ? Math.round((ms / this.lengthMs) * this.canvas.clientWidth) : 0;
  }

  grabbed(event) {
    this.isGrabbed = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.seekTo(event);
  }

  seekTo(event) {
    const { left, width } = this.canvas.getBoundingClientRect();
    this.onSeek(Math.min(1, Math.max(0, (event.clientX - left) / width)) * this.lengthMs);
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.paint();
    });
  }

  paint() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const scale = devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    const colours = new Map();
    const bars = Math.floor(width / BAR_PX);
    const played = this.x(this.ms);
    for (let bar = 0; bar < bars; bar += 1) {
      const from = (bar / bars) * this.lengthMs;
      const line = lineAt(this.lines, from);
      const isSpoken = line && from < line.end_ms;
      const key = isSpoken ? line.spk.speaker_id : "";
      if (!colours.has(key)) colours.set(key, this.colour(isSpoken ? line : null));
      const loudness = Math.sqrt(this.loudest(from, ((bar + 1) / bars) * this.lengthMs) / 255);
      const tall = Math.max(2, loudness * (height - 2));
      context.globalAlpha = bar * BAR_PX < played ? 1 : 0.42;
      context.fillStyle = colours.get(key);
      context.fillRect(bar * BAR_PX, (height - tall) / 2, BAR_PX - 1, tall);
    }
    context.globalAlpha = 1;
    context.fillStyle = getComputedStyle(this.canvas).color;
    context.fillRect(Math.min(width - 2, Math.max(0, played - 1)), 0, 2, height);
  }

  loudest(fromMs, toMs) {
    const first = Math.floor(fromMs / MS_PER_PEAK);
    const stop = Math.max(first + 1, Math.floor(toMs / MS_PER_PEAK));
    let most = 0;
    for (let at = first; at < stop && at < this.peaks.length; at += 1) most = Math.max(most, this.peaks[at]);
    return most;
  }
}
