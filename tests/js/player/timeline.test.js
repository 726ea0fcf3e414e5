import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Word } from "../../../static/js/player/timeline.js" */

import { lineAt, linesAt, loudest, soundingAt, wordAt, wordAtCharacter } from "../../../static/js/player/timeline.js";
import { ANNA, BORIS, line, overlap, stranger } from "../support/lines.js";
import { between, randomSource } from "../support/random.js";

describe("The lines at a moment", () => {
  const under = line(1, { start_ms: 1000, end_ms: 6000 });
  const over = line(2, { spk: BORIS, start_ms: 3000, end_ms: 4000 });
  const next = line(3, { start_ms: 8000, end_ms: 9000 });
  const lines = [under, over, next];
  const ids = (/** @type {number} */ ms) => linesAt(lines, ms).map(({ id }) => id);

  test("are none before the first", () => assert.deepEqual(ids(999), []));

  test("are all that sound, the last that has begun first", () => {
    assert.deepEqual(ids(2999), [1]);
    assert.deepEqual(ids(3000), [2, 1]);
    assert.deepEqual(ids(3999), [2, 1]);
  });

  test("go on with the longer one when the shorter has ended", () => assert.deepEqual(ids(4000), [1]));

  test("are in a pause the last that has begun, alone", () => {
    assert.deepEqual(ids(6000), [2]);
    assert.deepEqual(ids(7999), [2]);
    assert.deepEqual(ids(9000), [3]);
  });
});

describe("Who speaks at a moment", () => {
  const lines = [
    line(1, { spk: ANNA, start_ms: 0, end_ms: 4000, overlaps: [overlap(stranger(2), 1000, 2000)] }),
    line(2, { spk: BORIS, start_ms: 3000, end_ms: 5000 }),
  ];

  test("is everybody with a line there, and who has no words of their own", () => {
    assert.deepEqual(soundingAt(lines, 500), ["anna"]);
    assert.deepEqual(soundingAt(lines, 1000), ["anna", "stranger-2"]);
    assert.deepEqual(soundingAt(lines, 2000), ["anna"]);
    assert.deepEqual(soundingAt(lines, 3500), ["anna", "boris"]);
    assert.deepEqual(soundingAt(lines, 4500), ["boris"]);
  });

  test("is nobody in a pause", () => assert.deepEqual(soundingAt(lines, 5000), []));
});

describe("The line at a moment", () => {
  const lines = [line(1), line(2), line(3, { start_ms: 10_000 })];

  test("is none before the first", () => {
    assert.equal(lineAt([], 0), null);
    assert.equal(lineAt(lines, 999), null);
  });

  test("is the last that has begun", () => {
    assert.equal(lineAt(lines, 1000)?.id, 1);
    assert.equal(lineAt(lines, 1999)?.id, 1);
    assert.equal(lineAt(lines, 2000)?.id, 2);
  });

  test("stays in the silence after it, and after the end", () => {
    assert.equal(lineAt(lines, 9999)?.id, 2);
    assert.equal(lineAt(lines, Infinity)?.id, 3);
  });

  test("is the later of two that begin together", () => {
    assert.equal(lineAt([line(1), line(2, { start_ms: 1000 })], 1000)?.id, 2);
  });

  test("is what a search from the end finds, in any transcript", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = randomSource(seed);
      const starts = Array.from({ length: between(random, 0, 40) }, () => between(random, 0, 50)).sort((a, b) => a - b);
      const all = starts.map((start, at) => line(at, { start_ms: start }));
      for (let ms = -1; ms <= 51; ms += 1) {
        const expected = all.findLast(({ start_ms: start }) => start <= ms) ?? null;
        assert.equal(lineAt(all, ms), expected);
      }
    }
  });
});

/** Of "大家好 OK": characters from and to, milliseconds from and to. @type {Word[]} */
const words = [
  [0, 1, 100, 300],
  [1, 2, 300, 500],
  [2, 3, 700, 900],
  [4, 6, 1000, 1500],
];

describe("The word at a moment", () => {
  test("is the last that has begun, also in a pause", () => {
    assert.deepEqual(wordAt(words, 300), words[1]);
    assert.deepEqual(wordAt(words, 699), words[1]);
    assert.deepEqual(wordAt(words, 9000), words[3]);
  });

  test("is none before the first, or without words", () => {
    assert.equal(wordAt(words, 99), null);
    assert.equal(wordAt([], 100), null);
  });
});

describe("The word at a place in the text", () => {
  test("is the one that holds the character", () => {
    assert.deepEqual(
      [0, 1, 2, 4, 5].map((offset) => wordAtCharacter(words, offset)),
      [0, 1, 2, 3, 3].map((at) => words[at]),
    );
  });

  test("is the next one for a character between words", () => assert.deepEqual(wordAtCharacter(words, 3), words[3]));

  test("is the last one behind all words", () => assert.deepEqual(wordAtCharacter(words, 60), words[3]));

  test("is none in a line without words", () => assert.equal(wordAtCharacter([], 0), null));
});

describe("The loudness of a stretch", () => {
  const peaks = Uint8Array.of(10, 200, 30, 40);

  test("is its greatest peak", () => {
    assert.equal(loudest(peaks, 0, 400), 200);
    assert.equal(loudest(peaks, 200, 400), 40);
  });

  test("of less than a peak is that of the peak it is in", () => {
    assert.equal(loudest(peaks, 110, 120), 200);
    assert.equal(loudest(peaks, 300, 300), 40);
  });

  test("without peaks is none", () => {
    assert.equal(loudest(peaks, 400, 900), 0);
    assert.equal(loudest(new Uint8Array(), 0, 1000), 0);
  });

  test("over all stretches of a picture misses no peak", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = randomSource(seed);
      const all = Uint8Array.from({ length: between(random, 1, 300) }, () => between(random, 0, 255));
      const bars = between(random, 1, 400);
      const lengthMs = 100 * all.length;
      const heights = Array.from({ length: bars }, (_, bar) =>
        loudest(all, (bar / bars) * lengthMs, ((bar + 1) / bars) * lengthMs),
      );
      assert.equal(Math.max(...heights), Math.max(...all), `seed ${seed}`);
    }
  });
});
