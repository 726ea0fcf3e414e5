import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Playout } from "../../../static/js/recording/playout.js";
import { noise, randomSource } from "../support/random.js";

const PIECE_MS = 100;
const SECOND = 16_000;

/** @param {{seconds?: number, channels?: Float32Array[], isInRealTime?: boolean}} [options] */
function playing({ seconds = 1, channels = [noise(randomSource(1), SECOND * seconds)], isInRealTime = false } = {}) {
  const state = {
    isWanted: true,
    /** @type {number[]} */
    given: [],
    pieces: 0,
    /** @type {(() => void) | null} */
    onPiece: null,
  };
  const parts = {
    isInRealTime,
    isWanted: () => state.isWanted,
    onAudio: (/** @type {Float32Array} */ audio) => {
      state.given.push(...audio);
      state.pieces += 1;
      state.onPiece?.();
    },
  };
  return { state, channels, playout: new Playout(channels, parts, 5000) };
}

describe("A file as fast as it can be recognised", () => {
  test("comes at once, all of it", () => {
    const { playout, state, channels } = playing();
    playout.look(5000);
    assert.equal(playout.isOver, true);
    assert.deepEqual(state.given, [...channels[0]]);
    assert.equal(state.pieces, 10);
  });

  test("stops as soon as no more is wanted, and goes on there", () => {
    const { playout, state, channels } = playing();
    state.onPiece = () => (state.isWanted = state.pieces < 3);
    playout.look(5000);
    assert.equal(state.given.length, 4800);
    playout.look(9000);
    assert.equal(state.given.length, 4800);
    state.onPiece = null;
    state.isWanted = true;
    playout.look(9001);
    assert.deepEqual(state.given, [...channels[0]]);
  });

  test("ends with a piece that is short", () => {
    const { playout, state } = playing({ channels: [new Float32Array(1601)] });
    playout.look(5000);
    assert.deepEqual([state.pieces, state.given.length, playout.isOver], [2, 1601, true]);
  });

  test("without audio is over", () => {
    const { playout, state } = playing({ channels: [new Float32Array()] });
    playout.look(5000);
    assert.deepEqual([playout.isOver, state.pieces], [true, 0]);
  });

  test("is mixed from its channels", () => {
    const { playout, state } = playing({ channels: [new Float32Array(10).fill(1), new Float32Array(10)] });
    playout.look(5000);
    assert.deepEqual(
      state.given,
      Array.from({ length: 10 }, () => 0.5),
    );
  });
});

describe("A file as it was spoken", () => {
  test("comes as time goes by", () => {
    const { playout, state } = playing({ isInRealTime: true });
    playout.look(5000);
    assert.equal(state.pieces, 0);
    playout.look(5000 + PIECE_MS);
    assert.equal(state.pieces, 1);
    playout.look(5000 + 5.5 * PIECE_MS);
    assert.equal(state.pieces, 5);
    playout.look(5000 + 10 * PIECE_MS);
    assert.equal(playout.isOver, true);
  });

  test("waits in a pause, and does not make up for it", () => {
    const { playout, state } = playing({ isInRealTime: true });
    playout.look(5200);
    state.isWanted = false;
    for (let ms = 5300; ms <= 65_200; ms += 100) playout.look(ms);
    assert.equal(state.pieces, 2);
    state.isWanted = true;
    playout.look(65_300);
    assert.equal(state.pieces, 3);
  });

  test("makes up for timers that are slow", () => {
    const { playout, state } = playing({ isInRealTime: true });
    playout.look(5900);
    assert.equal(state.pieces, 9);
  });

  test("is never ahead of time, and less than a piece behind", () => {
    const { playout, state } = playing({ seconds: 3, isInRealTime: true });
    const random = randomSource(3);
    for (let ms = 0; ms < 2900; ms += 90 * random()) {
      playout.look(5000 + ms);
      const behind = (ms * SECOND) / 1000 - state.given.length;
      assert.ok(behind >= -1e-6 && behind < 1600 + 1e-6, `${behind} samples behind at ${ms} ms`);
    }
  });
});
