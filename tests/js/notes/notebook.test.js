import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { byLine, momentMeant, Notebook, threads } from "../../../static/js/notes/notebook.js";

/**
 * @param {number} id
 * @param {number} at
 * @param {number | null} [answers]
 */
const note = (id, at, answers = null) => ({
  id,
  at_ms: at,
  text: `note ${id}`,
  author: "Anna",
  is_own: true,
  written_at: "2026-11-30T00:00:00Z",
  is_changed: false,
  answers,
});

const lines = [
  { id: 1, start_ms: 1000 },
  { id: 2, start_ms: 3000 },
];

describe("Threads", () => {
  test("stand in the order of their moments, each with its comments", () => {
    const found = threads([note(5, 9000), note(6, 2000), note(7, 9000, 5), note(8, 9000, 5)]);
    assert.deepEqual(
      found.map(({ id, comments }) => [id, comments.map((comment) => comment.id)]),
      [
        [6, []],
        [5, [7, 8]],
      ],
    );
  });

  test("leave out a comment on what is gone", () => {
    assert.deepEqual(threads([note(7, 9000, 5)]), []);
  });
});

describe("The notebook", () => {
  test("takes no answer that a newer one has overtaken", () => {
    const notebook = new Notebook();
    assert.equal(notebook.take({ number: 6, notes: [note(1, 0), note(2, 1000)] }), true);
    assert.equal(notebook.take({ number: 5, notes: [note(1, 0)] }), false);
    assert.deepEqual(
      notebook.threads.map(({ id }) => id),
      [1, 2],
    );
    assert.equal(notebook.take({ number: 6, notes: [] }), true);
  });

  test("asks for a change once, and for none that it has", () => {
    const notebook = new Notebook();
    notebook.asked = 3;
    assert.deepEqual(
      [3, 4].map((number) => notebook.isNews(number)),
      [false, true],
    );
    notebook.take({ number: 4, notes: [] });
    assert.deepEqual(
      [4, 5].map((number) => notebook.isNews(number)),
      [false, true],
    );
  });
});

describe("Lines", () => {
  const placed = (/** @type {number[]} */ ...moments) => {
    const found = byLine(threads(moments.map((at, index) => note(index + 1, at))), lines);
    return [...found].map(([line, those]) => [line, those.map(({ at_ms: ms }) => ms)]);
  };

  test("have the notes from their start until the next one's", () => {
    assert.deepEqual(placed(1000, 2999, 3000, 99_000), [
      [1, [1000, 2999]],
      [2, [3000, 99_000]],
    ]);
  });

  test("are first of all that came before them", () => assert.deepEqual(placed(0), [[1, [0]]]));

  test("need not be there yet", () => assert.equal(byLine(threads([note(1, 0)]), []).size, 0));
});

describe("The moment that is meant", () => {
  const quiet = { isPlaying: false, playerMs: 500.4, isLive: false, nowMs: 9000, lineMs: null };

  test("is what is being heard, also in a live meeting", () => {
    assert.equal(momentMeant({ ...quiet, isPlaying: true, isLive: true }), 500);
  });

  test("is now while the meeting goes on, whatever line has the focus", () => {
    assert.equal(momentMeant({ ...quiet, isLive: true, lineMs: 1000 }), 9000);
  });

  test("is the line afterwards, and without one where the player stands", () => {
    assert.equal(momentMeant({ ...quiet, lineMs: 1000 }), 1000);
    assert.equal(momentMeant(quiet), 500);
  });
});
