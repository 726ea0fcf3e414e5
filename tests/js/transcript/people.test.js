import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { linesOf, longestLines, talkingTimes } from "../../../static/js/transcript/people.js";
import { ANNA, BORIS, line, overlap, stranger } from "../support/lines.js";

describe("Talking times", () => {
  test("are nobody's where nothing was said", () => assert.deepEqual(talkingTimes([]), []));

  test("add up everybody's lines, in the order in which they came", () => {
    const lines = [
      line(0, { spk: BORIS, start_ms: 0, end_ms: 3000 }),
      line(1, { spk: ANNA, start_ms: 3000, end_ms: 4000 }),
      line(2, { spk: BORIS, start_ms: 4000, end_ms: 8000 }),
    ];
    const shares = talkingTimes(lines).map(({ spk, ms, percent }) => [spk.speaker_name, ms, percent]);
    assert.deepEqual(shares, [
      ["Boris", 7000, 88],
      ["Anna", 1000, 13],
    ]);
  });

  test("count speech without words, and nobody twice for the same time", () => {
    const during = overlap(BORIS, 1000, 2000);
    const lines = [
      line(1, { start_ms: 0, end_ms: 1500, overlaps: [during] }),
      line(2, { start_ms: 1500, end_ms: 4000, overlaps: [during] }), // the other half of a line that was cut
      line(3, { spk: BORIS, start_ms: 1800, end_ms: 3000 }),
    ];
    const shares = talkingTimes(lines).map(({ spk, ms }) => [spk.speaker_name, ms]);
    assert.deepEqual(shares, [
      ["Anna", 4000],
      ["Boris", 2000],
    ]);
  });

  test("name who never had a line last, a stranger by number", () => {
    const lines = [line(1, { overlaps: [overlap(stranger(3), 1200, 1400)] }), line(2, { spk: BORIS })];
    const found = talkingTimes(lines).map(({ spk }) => [spk.speaker_id, spk.number, spk.enrolled]);
    assert.deepEqual(found, [
      ["anna", null, true],
      ["boris", null, true],
      ["stranger-3", 3, false],
    ]);
  });

  test("have a speaker's latest name", () => {
    const renamed = { ...ANNA, speaker_name: "Anna Maria" };
    assert.equal(talkingTimes([line(1), line(2, { spk: renamed })])[0].spk.speaker_name, "Anna Maria");
  });

  test("count people of whom nothing is known as one", () => {
    const nobody = { ...ANNA, speaker_id: "", speaker_name: "" };
    assert.equal(talkingTimes([line(1, { spk: nobody }), line(2, { spk: nobody })]).length, 1);
  });

  test("share nothing where lines take no time", () => {
    assert.equal(talkingTimes([line(1, { start_ms: 500, end_ms: 500 })])[0].percent, 0);
  });

  test("are everything where one speaks alone", () => {
    assert.equal(talkingTimes([line(1, { spk: stranger(1) })])[0].percent, 100);
  });
});

describe("The longest lines", () => {
  const lengths = [900, 5000, 100, 3000, 3000, 40];
  const lines = lengths.map((ms, at) => line(at, { end_ms: 1000 * at + ms }));

  test("stand in the order of the meeting", () => {
    assert.deepEqual(
      longestLines(lines, 3).map(({ id }) => id),
      [1, 3, 4],
    );
  });

  test("are all where there are few", () => assert.deepEqual(longestLines(lines, 10), lines));

  test("leave the lines themselves as they were", () => {
    const before = [...lines];
    longestLines(lines, 2);
    assert.deepEqual(lines, before);
  });
});

describe("The lines of somebody", () => {
  const lines = [
    line(1, { overlaps: [overlap(BORIS, 1200, 1500), overlap(stranger(2), 1400, 1600)] }),
    line(2, { spk: BORIS, overlaps: [overlap(ANNA, 2000, 2100), overlap(stranger(2), 2500, 2900)] }),
  ];

  test("are those with words", () => {
    assert.deepEqual(linesOf(lines, "boris"), [lines[1]]);
  });

  test("are without words where they have none", () => {
    const found = linesOf(lines, "stranger-2");
    assert.deepEqual(
      found.map(({ id, asr, spk, start_ms: start, end_ms: end }) => [id, asr, spk.number, start, end]),
      [
        [0, "", 2, 1400, 1600],
        [0, "", 2, 2500, 2900],
      ],
    );
    assert.equal(talkingTimes(found)[0].ms, 600);
  });

  test("are none of who does not speak", () => assert.deepEqual(linesOf(lines, "carol"), []));
});
