// Sample rate conversion of a stream, by windowed-sinc interpolation (Smith, "Digital Audio Resampling"). Pure.

const ZERO_CROSSINGS = 16;
const STEPS = 512; // of the filter's table between two zero crossings
const ROLLOFF = 0.94; // of the lower Nyquist frequency, so that the filter's slope folds nothing back

export class Resampler {
  /**
   * @param {number} from samples a second
   * @param {number} to samples a second
   */
  constructor(from, to) {
    this.step = from / to;
    const cutoff = ROLLOFF * Math.min(1, to / from);
    this.half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.table = sincTable(cutoff, this.half);
    this.history = new Float32Array(this.half); // silence before the first sample
    this.time = this.half; // of the next output sample, in input samples of `history`
  }

  /**
   * Return the output for this input, as much of it as the filter can see.
   *
   * @param {Float32Array<ArrayBuffer>} input
   */
  process(input) {
    if (this.step === 1) return input.slice();
    const known = new Float32Array(this.history.length + input.length);
    known.set(this.history);
    known.set(input, this.history.length);
    const count = Math.max(0, Math.ceil((known.length - this.half - this.time) / this.step));
    const output = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      output[index] = this.interpolate(known, this.time + index * this.step);
    }
    this.time += count * this.step;
    const kept = Math.max(0, Math.floor(this.time) - this.half);
    this.history = known.slice(kept);
    this.time -= kept;
    return output;
  }

  /**
   * @param {Float32Array} known
   * @param {number} time
   */
  interpolate(known, time) {
    const first = Math.max(0, Math.ceil(time - this.half));
    const last = Math.min(known.length - 1, Math.floor(time + this.half));
    let sum = 0;
    for (let at = first; at <= last; at += 1) {
      const place = Math.abs(time - at) * STEPS;
      const below = Math.floor(place);
      const weight = this.table[below] + (place - below) * (this.table[below + 1] - this.table[below]);
      sum += known[at] * weight;
    }
    return sum;
  }
}

/**
 * @param {number} cutoff
 * @param {number} half
 */
function sincTable(cutoff, half) {
  const table = new Float32Array(half * STEPS + 2);
  for (let place = 0; place < half * STEPS; place += 1) {
    const time = place / STEPS;
    const phase = Math.PI * cutoff * time;
    const hann = 0.5 + 0.5 * Math.cos((Math.PI * time) / half);
    table[place] = cutoff * hann * (place === 0 ? 1 : Math.sin(phase) / phase);
  }
  return table;
}
