import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { longestLines, talkingTimes } from "../../../static/js/transcript/people.js";
import { ANNA, BORIS, line, stranger } from "../support/lines.js";

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
