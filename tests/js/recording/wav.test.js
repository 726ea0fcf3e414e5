import assert from "node:assert/strict";
import { File } from "node:buffer";
import { describe, test } from "node:test";

import { wavFile } from "../../../static/js/recording/wav.js";
import { noise, randomSource } from "../support/random.js";

Object.assign(globalThis, { File }); // Node.js 18 has none there

/**
 * Read a WAV file as others do.
 *
 * @param {Blob} file
 */
async function read(file) {
  const view = new DataView(await file.arrayBuffer());
  const text = (/** @type {number} */ at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
  return {
    chunks: [text(0), text(8), text(12), text(36)],
    riffLength: view.getUint32(4, true),
    format: view.getUint16(20, true),
    channels: view.getUint16(22, true),
    rate: view.getUint32(24, true),
    bytesPerSecond: view.getUint32(28, true),
    blockAlign: view.getUint16(32, true),
    bits: view.getUint16(34, true),
    length: view.getUint32(40, true),
    samples: Array.from({ length: (view.byteLength - 44) / 2 }, (_, at) => view.getInt16(44 + 2 * at, true)),
  };
}

describe("A WAV file", () => {
  test("says what it holds", async () => {
    const file = wavFile([new Float32Array(5), new Float32Array(3)], 16000, "take.wav");
    assert.deepEqual([file.name, file.type, file.size], ["take.wav", "audio/wav", 44 + 16]);
    const { samples, ...header } = await read(file);
    assert.deepEqual(header, {
      chunks: ["RIFF", "WAVE", "fmt ", "data"],
      riffLength: file.size - 8,
      format: 1,
      channels: 1,
      rate: 16000,
      bytesPerSecond: 32000,
      blockAlign: 2,
      bits: 16,
      length: 16,
    });
    assert.equal(samples.length, 8);
  });

  test("without audio is a header", async () => {
    const { length, samples } = await read(wavFile([], 16000, "empty.wav"));
    assert.deepEqual([length, samples], [0, []]);
  });

  test("holds its pieces one after another", async () => {
    const file = wavFile([Float32Array.of(0, 0.5), new Float32Array(), Float32Array.of(-0.5)], 8000, "a.wav");
    assert.deepEqual((await read(file)).samples, [0, 16384, -16384]);
  });

  test("clips what is too loud, and never wraps around", async () => {
    const file = wavFile([Float32Array.of(1, -1, 1.5, -1.5, Infinity, -Infinity)], 8000, "a.wav");
    assert.deepEqual((await read(file)).samples, [32767, -32768, 32767, -32768, 32767, -32768]);
  });

  test("is right to half a step", async () => {
    const audio = noise(randomSource(1), 1000);
    const { samples } = await read(wavFile([audio], 8000, "a.wav"));
    samples.forEach((sample, at) => assert.ok(Math.abs(sample - 32768 * audio[at]) <= 1));
    const inside = samples.filter((_, at) => audio[at] < 0.9999);
    assert.ok(inside.length > 900);
    samples.forEach((sample, at) => audio[at] < 0.9999 && assert.ok(Math.abs(sample - 32768 * audio[at]) <= 0.5));
  });
});
