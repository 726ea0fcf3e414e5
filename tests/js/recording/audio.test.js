import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Samples } from "../../../static/js/recording/audio.js" */

import { loudness, Meter, mono, overlaid, Pieces, rms } from "../../../static/js/recording/audio.js";
import { between, noise, randomSource } from "../support/random.js";

describe("One channel", () => {
  test("of one is itself, as a copy", () => {
    const channel = Float32Array.of(1, 2, 3);
    const mixed = mono([channel]);
    assert.deepEqual(mixed, channel);
    assert.notEqual(mixed.buffer, channel.buffer);
  });

  test("of two is their mean", () => {
    assert.deepEqual(mono([Float32Array.of(1, 0, -1), Float32Array.of(0, 1, -1)]), Float32Array.of(0.5, 0.5, -1));
  });

  test("is no louder than the loudest of six", () => {
    const channels = Array.from({ length: 6 }, () => new Float32Array(4).fill(1));
    for (const sample of mono(channels)) assert.ok(Math.abs(sample - 1) < 1e-6);
  });

  test("can be had of a stretch", () => {
    const channels = [Float32Array.of(1, 2, 3, 4), Float32Array.of(3, 4, 5, 6)];
    assert.deepEqual(mono(channels, 1, 3), Float32Array.of(3, 4));
    assert.deepEqual(mono(channels, 4), new Float32Array());
  });

  test("of none is nothing", () => assert.deepEqual(mono([]), new Float32Array()));
});

describe("Sounds laid over each other", () => {
  test("are heard at once, each as loud as it is", () => {
    assert.deepEqual(
      overlaid([Float32Array.of(0.5, 0, -0.25), Float32Array.of(0.25, 0.5, 0)]),
      Float32Array.of(0.75, 0.5, -0.25),
    );
  });

  test("stay within what samples can be", () => {
    assert.deepEqual(overlaid([Float32Array.of(0.9, -0.9), Float32Array.of(0.9, -0.9)]), Float32Array.of(1, -1));
  });

  test("of one are that one", () => assert.deepEqual(overlaid([Float32Array.of(0.5)]), Float32Array.of(0.5)));
});

describe("A meter", () => {
  test("tells the loudness of all that came since it was asked", () => {
    const meter = new Meter();
    const audio = Float32Array.from({ length: 1600 }, (_, at) => 0.1 * Math.sin(at));
    for (let at = 0; at < audio.length; at += 128) meter.add(audio.subarray(at, at + 128));
    assert.ok(Math.abs((meter.take() ?? 0) - loudness(audio)) < 1e-6);
  });

  test("begins anew each time", () => {
    const meter = new Meter();
    meter.add(new Float32Array(160).fill(1));
    meter.take();
    meter.add(new Float32Array(160));
    assert.equal(meter.take(), 0);
  });

  test("knows silence from nothing", () => assert.equal(new Meter().take(), null));
});

describe("Pieces", () => {
  /** @param {number} length */
  function collect(length) {
    /** @type {Samples[]} */
    const given = [];
    return { given, pieces: new Pieces(length, (piece) => given.push(piece)) };
  }

  test("are given when they are full", () => {
    const { given, pieces } = collect(3);
    pieces.add(Float32Array.of(1, 2));
    assert.deepEqual(given, []);
    pieces.add(Float32Array.of(3, 4));
    assert.deepEqual(given, [Float32Array.of(1, 2, 3)]);
  });

  test("come several at once from long audio", () => {
    const { given, pieces } = collect(2);
    pieces.add(Float32Array.of(1, 2, 3, 4, 5));
    assert.deepEqual(given, [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  });

  test("belong to whoever gets them: what comes next is written elsewhere", () => {
    const { given, pieces } = collect(2);
    pieces.add(Float32Array.of(1, 2));
    pieces.add(Float32Array.of(3, 4));
    assert.deepEqual(given[0], Float32Array.of(1, 2));
    assert.notEqual(given[0].buffer, given[1].buffer);
  });

  test("hold all audio in its order, however it comes", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = randomSource(seed);
      const audio = noise(random, between(random, 0, 500));
      const { given, pieces } = collect(between(random, 1, 60));
      for (let at = 0; at < audio.length;) {
        const stop = at + between(random, 0, 70);
        pieces.add(audio.subarray(at, stop));
        at = stop;
      }
      const joined = given.flatMap((piece) => [...piece]);
      assert.ok(given.every((piece) => piece.length === pieces.piece.length));
      assert.deepEqual([...joined, ...pieces.piece.subarray(0, pieces.filled)], [...audio], `seed ${seed}`);
      assert.ok(audio.length - joined.length < pieces.piece.length);
    }
  });
});

describe("Loudness", () => {
  const sine = Float32Array.from({ length: 1600 }, (_, at) => Math.sin((2 * Math.PI * at) / 16));

  test("is none in silence, and without audio", () => {
    for (const audio of [new Float32Array(160), new Float32Array()]) {
      assert.equal(rms(audio), 0);
      assert.equal(loudness(audio), 0);
    }
  });

  test("is all at full scale", () => {
    assert.equal(loudness(new Float32Array(160).fill(1)), 1);
    assert.equal(loudness(new Float32Array(160).fill(-1)), 1);
    assert.equal(loudness(new Float32Array(160).fill(4)), 1);
  });

  test("of a sine is that of its root mean square", () => {
    assert.ok(Math.abs(rms(sine) - Math.SQRT1_2) < 1e-6);
    assert.ok(Math.abs(loudness(sine) - (1 - 3.01 / 60)) < 1e-3);
  });

  test("moves as ears hear: a tenth of the amplitude is a third of the way", () => {
    for (const [amplitude, expected] of [
      [0.1, 2 / 3],
      [0.01, 1 / 3],
      [0.001, 0],
    ]) {
      assert.ok(Math.abs(loudness(new Float32Array(160).fill(amplitude)) - expected) < 1e-4);
    }
  });
});
