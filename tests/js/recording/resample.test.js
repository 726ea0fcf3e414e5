import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Resampler } from "../../../static/js/recording/resample.js";
import { between, noise, randomSource } from "../support/random.js";

/**
 * @param {number} hz
 * @param {number} rate
 * @param {number} length
 */
const sine = (hz, rate, length) => Float32Array.from({ length }, (_, at) => Math.sin((2 * Math.PI * hz * at) / rate));

/**
 * Resample in blocks, as the microphone gives them.
 *
 * @param {Float32Array<ArrayBuffer>} input
 * @param {number} from
 * @param {number} to
 * @param {() => number} [block]
 */
function resample(input, from, to, block = () => 128) {
  const resampler = new Resampler(from, to);
  const output = [];
  for (let at = 0; at < input.length;) {
    const stop = at + block();
    output.push(...resampler.process(input.subarray(at, stop)));
    at = stop;
  }
  return Float32Array.from(output);
}

/** @param {Float32Array} audio */
const rms = (audio) => Math.sqrt(audio.reduce((sum, sample) => sum + sample ** 2, 0) / audio.length);

/**
 * Return the rest of a tone after the tone itself is taken out, in decibels: noise and distortion.
 *
 * @param {Float32Array} audio
 * @param {number} hz
 * @param {number} rate
 */
function distortionDb(audio, hz, rate) {
  const period = rate / 200; // of which all our tones have a whole number
  const middle = audio.subarray(2000, 2000 + period * Math.floor((audio.length - 4000) / period));
  const angle = (/** @type {number} */ at) => (2 * Math.PI * hz * (at + 2000)) / rate;
  let [re, im] = [0, 0];
  middle.forEach((sample, at) => {
    re += (2 * sample * Math.cos(angle(at))) / middle.length;
    im += (2 * sample * Math.sin(angle(at))) / middle.length;
  });
  const rest = middle.map((sample, at) => sample - re * Math.cos(angle(at)) - im * Math.sin(angle(at)));
  return 20 * Math.log10(rms(rest) / rms(middle));
}

describe("Audio of the same rate", () => {
  test("is itself, as a copy", () => {
    const input = noise(randomSource(1), 300);
    const output = new Resampler(16000, 16000).process(input);
    assert.deepEqual(output, input);
    assert.notEqual(output.buffer, input.buffer);
  });
});

for (const from of [8000, 22050, 44100, 48000, 96000]) {
  describe(`Audio of ${from} Hz`, () => {
    test("has 16,000 samples a second, less what the filter waits for", () => {
      const output = resample(noise(randomSource(2), 2 * from), from, 16000);
      assert.ok(output.length <= 32_000 && output.length > 32_000 - 60, String(output.length));
    });

    test("keeps its tones, pure and as loud as they were", () => {
      for (const hz of [200, 1000, 3000]) {
        const output = resample(sine(hz, from, from), from, 16000);
        const loudness = rms(output.subarray(2000, output.length - 2000)) / Math.SQRT1_2;
        assert.ok(Math.abs(20 * Math.log10(loudness)) < 0.1, `${hz} Hz: ${loudness}`);
        assert.ok(distortionDb(output, hz, 16000) < -60, `${hz} Hz: ${distortionDb(output, hz, 16000)} dB`);
      }
    });

    test("keeps its time: what was said is where it was said", () => {
      const input = new Float32Array(from);
      const at = Math.round(from / 2);
      input[at] = 1;
      const output = resample(input, from, 16000);
      const peak = output.indexOf(Math.max(...output));
      assert.ok(Math.abs(peak - (16000 * at) / from) <= 1, String(peak));
    });

    test("comes out the same in whatever blocks it comes in", () => {
      const random = randomSource(3);
      const input = noise(random, 5000);
      const whole = resample(input, from, 16000, () => input.length);
      for (const block of [() => 1, () => 128, () => between(random, 0, 700)]) {
        const output = resample(input, from, 16000, block);
        assert.equal(output.length, whole.length);
        output.forEach((sample, index) => assert.ok(Math.abs(sample - whole[index]) < 1e-6));
      }
    });
  });
}

describe("Tones that the new rate cannot hold", () => {
  for (const [from, hz] of [
    [48000, 10_000],
    [48000, 20_000],
    [44100, 12_000],
    [96000, 40_000],
  ]) {
    test(`as ${hz} Hz of ${from} do not come back as others`, () => {
      const output = resample(sine(hz, from, from), from, 16000);
      assert.ok(20 * Math.log10(rms(output.subarray(500))) < -60);
    });
  }
});

test("Silence stays silent", () => {
  assert.ok(resample(new Float32Array(4800), 48000, 16000).every((sample) => sample === 0));
});

test("A minute of blocks loses no sample", () => {
  const resampler = new Resampler(44100, 16000);
  const block = new Float32Array(441);
  let count = 0;
  for (let hundredth = 0; hundredth < 6000; hundredth += 1) count += resampler.process(block).length;
  assert.ok(Math.abs(count - 16000 * 60) < 60, String(count));
  assert.ok(resampler.time < 2 * resampler.half + 4);
});
