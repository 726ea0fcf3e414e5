import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Line } from "../../../static/js/connection/messages.js" */

import { overlapMark } from "../../../static/js/transcript/overlap-marks.js";
import { ANNA, BORIS, line, overlap, stranger } from "../support/lines.js";

const long = line(1, { spk: ANNA, start_ms: 0, end_ms: 5000 });

const markOf = (/** @type {Line[]} */ lines, /** @type {number} */ index) => {
  const { during, too } = overlapMark(lines, index);
  return [during, too].filter(Boolean).join(" · ");
};

describe("The mark of a line", () => {
  test("is empty where one speaks alone", () => {
    assert.equal(markOf([long], 0), "");
    assert.equal(markOf([long, line(2, { spk: BORIS, start_ms: 5000 })], 1), "");
  });

  test("says who speaks too", () => {
    assert.equal(markOf([{ ...long, overlaps: [overlap(BORIS, 1000, 2000)] }], 0), "Boris speaks too");
  });

  test("names everybody once, strangers by number", () => {
    const overlaps = [overlap(BORIS, 1000, 2000), overlap(stranger(2), 2000, 2500), overlap(BORIS, 3000, 4000)];
    assert.equal(markOf([{ ...long, overlaps }], 0), "Boris, Speaker 2 speak too");
  });

  test("says whose line still goes on when it begins", () => {
    const lines = [long, line(2, { spk: BORIS, start_ms: 3000 })];
    assert.equal(markOf(lines, 0), "");
    assert.equal(markOf(lines, 1), "at the same time as Anna");
  });

  test("says both", () => {
    const later = line(2, { spk: BORIS, start_ms: 3000, overlaps: [overlap(stranger(1), 3000, 3500)] });
    assert.equal(markOf([long, later], 1), "at the same time as Anna · Speaker 1 speaks too");
  });

  test("makes nothing of the end of a word, or of a line without a time", () => {
    assert.equal(markOf([long, line(2, { spk: BORIS, start_ms: 4701 })], 1), "");
    assert.equal(markOf([long, line(2, { spk: BORIS, start_ms: 4700 })], 1), "at the same time as Anna");
    assert.equal(markOf([long, line(2, { spk: BORIS, start_ms: 3000, end_ms: 3000 })], 1), "");
  });

  test("says nothing of their own lines", () => {
    assert.equal(markOf([long, line(2, { spk: ANNA, start_ms: 3000 })], 1), "");
  });

  test("knows of a line that began some lines before", () => {
    const lines = [long, ...[1, 2, 3].map((second) => line(second + 1, { spk: BORIS, start_ms: 1000 * second }))];
    assert.equal(markOf(lines, 3), "at the same time as Anna");
  });
});
