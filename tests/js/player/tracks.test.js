import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Overlap } from "../../../static/js/connection/messages.js" */

import { meant, outline, spanAt, tracksOf } from "../../../static/js/player/tracks.js";

/**
 * @param {string} id
 * @param {number} start
 * @param {number} end
 * @param {string} [name]
 */
const line = (id, start, end, name = id) => ({
  spk: { speaker_id: id, speaker_name: name, score: null, enrolled: true, number: null },
  start_ms: start,
  end_ms: end,
  overlaps: /** @type {Overlap[]} */ ([]),
});

const track = {
  spk: line("a", 0, 0).spk,
  spans: /** @type {[number, number][]} */ ([
    [1000, 2000],
    [5000, 7000],
  ]),
};

describe("Tracks", () => {
  test("show who speaks without words of their own, joined with the line that follows", () => {
    const during = { speaker_id: "b", speaker_name: "b", number: null, start_ms: 1500, end_ms: 1900 };
    const found = tracksOf([{ ...line("a", 0, 2000), overlaps: [during] }, line("b", 2100, 3000)]);
    assert.deepEqual(
      found.map(({ spk, spans }) => [spk.speaker_id, spans]),
      [
        ["a", [[0, 2000]]],
        ["b", [[1500, 3000]]],
      ],
    );
  });

  test("are the speakers' in the order in which they came, under their newest name", () => {
    const found = tracksOf([line("b", 0, 900), line("a", 1000, 2000), line("b", 3000, 4000, "Bea")]);
    assert.deepEqual(
      found.map(({ spk, spans }) => [spk.speaker_name, spans]),
      [
        [
          "Bea",
          [
            [0, 900],
            [3000, 4000],
          ],
        ],
        ["a", [[1000, 2000]]],
      ],
    );
  });

  test("go on over a breath, and through a line within another", () => {
    const found = tracksOf([line("a", 0, 5000), line("a", 1000, 2000), line("a", 5900, 7000)]);
    assert.deepEqual(found[0].spans, [[0, 7000]]);
  });

  test("are none where nobody speaks", () => assert.deepEqual(tracksOf([]), []));
});

describe("A moment", () => {
  test("is in the span that has begun last", () => {
    assert.deepEqual(
      [999, 1000, 4000, 5000].map((ms) => spanAt(track, ms)),
      [-1, 0, 0, 1],
    );
  });

  test("means itself within a span, and the start of the nearest outside", () => {
    assert.deepEqual(
      [1500, 0, 3000, 4000, 9000].map((ms) => meant(track, ms)),
      [1500, 1000, 1000, 5000, 5000],
    );
  });
});

test("An outline has one box for each span", () => {
  assert.equal(outline(track), "M1000 0H2000V1H1000zM5000 0H7000V1H5000z");
});
