// The recording as a picture: its loudness over time, in the colour of whoever speaks. Click or drag to go there.

/** @import { KnownLine } from "../transcript/transcript.js" */

import { linesAt, loudest } from "./timeline.js";

const BAR_PX = 3;
const MARK_PX = 7;

export class Waveform {
  peaks = new Uint8Array();
  /** @type {KnownLine[]} */
  lines = [];
  /** @type {number[]} moments that stand out */
  marks = [];
  ms = 0;
  lengthMs = 0;
  isGrabbed = false;
  /** @type {number | undefined} */
  frame;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} parts
   * @param {(line: KnownLine | null) => string} parts.colour CSS colour of a line's voice
   * @param {(ms: number) => void} parts.onSeek
   */
  constructor(canvas, { colour, onSeek }) {
    this.canvas = canvas;
    this.colour = colour;
    this.onSeek = onSeek;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    canvas.addEventListener("pointerdown", (event) => this.grabbed(event));
    canvas.addEventListener("pointermove", (event) => this.isGrabbed && this.seekTo(event));
    canvas.addEventListener("pointerup", () => (this.isGrabbed = false));
  }

  /** @param {Uint8Array} peaks that follow those before */
  addPeaks(peaks) {
    const all = new Uint8Array(this.peaks.length + peaks.length);
    all.set(this.peaks);
    all.set(peaks, this.peaks.length);
    this.peaks = all;
    this.draw();
  }

  /** @param {KnownLine[]} lines */
  setLines(lines) {
    this.lines = lines;
    this.draw();
  }

  /** @param {number[]} marks */
  setMarks(marks) {
    this.marks = marks;
    this.draw();
  }

  /**
   * @param {number} ms
   * @param {number} lengthMs
   */
  setPosition(ms, lengthMs) {
    const isSame = this.x(ms) === this.x(this.ms) && lengthMs === this.lengthMs;
    this.ms = ms;
    this.lengthMs = lengthMs;
    if (!isSame) this.draw();
  }

  /** @param {number} ms */
  x(ms) {
    return this.lengthMs ? Math.round((ms / this.lengthMs) * this.canvas.clientWidth) : 0;
  }

  /** @param {PointerEvent} event */
  grabbed(event) {
    this.isGrabbed = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.seekTo(event);
  }

  /** @param {PointerEvent} event */
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
    const context = this.canvas.getContext("2d");
    if (!width || !height || !context) return;
    const scale = devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    context.scale(scale, scale);
    const colourAt = this.palette();
    const bars = Math.floor(width / BAR_PX);
    const played = this.x(this.ms);
    for (let bar = 0; bar < bars; bar += 1) {
      const from = (bar / bars) * this.lengthMs;
      const loudness = Math.sqrt(loudest(this.peaks, from, ((bar + 1) / bars) * this.lengthMs) / 255);
      const tall = Math.max(2, loudness * (height - 2));
      context.globalAlpha = bar * BAR_PX < played ? 1 : 0.42;
      context.fillStyle = colourAt(from);
      context.fillRect(bar * BAR_PX, (height - tall) / 2, BAR_PX - 1, tall);
    }
    context.globalAlpha = 1;
    context.fillStyle = getComputedStyle(this.canvas).color;
    for (const mark of this.marks) context.fillRect(Math.min(width - 2, this.x(mark)), 0, 2, MARK_PX);
    context.fillRect(Math.min(width - 2, Math.max(0, played - 1)), 0, 2, height);
  }

  /** Return the colour of a moment, asking the page once for each voice. */
  palette() {
    /** @type {Map<string, string>} */
    const colours = new Map();
    return (/** @type {number} */ ms) => {
      const [line] = linesAt(this.lines, ms);
      const spoken = line && ms < line.end_ms ? line : null;
      const key = spoken?.spk.speaker_id ?? "";
      const colour = colours.get(key) ?? this.colour(spoken);
      colours.set(key, colour);
      return colour;
    };
  }
}
