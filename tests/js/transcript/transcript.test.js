import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Line } from "../../../static/js/connection/messages.js" */

import { Transcript } from "../../../static/js/transcript/transcript.js";
import { ANNA, BORIS, line } from "../support/lines.js";
import { between, randomSource } from "../support/random.js";

/** A page: what it shows is what it was told. */
class Page {
  /** @type {string[]} */
  shown = [];
  /** @type {string[]} */
  told = [];

  /**
   * @param {Line} added
   * @param {number} index
   */
  added(added, index) {
    this.told.push(`added ${added.id}`);
    this.shown.splice(index, 0, added.asr);
  }

  /**
   * @param {Line} now
   * @param {Line} before
   * @param {number} index
   */
  changed(now, before, index) {
    this.told.push(`changed ${now.id}`);
    assert.equal(this.shown[index], before.asr);
    this.shown[index] = now.asr;
  }

  /**
   * @param {Line} removed
   * @param {number} index
   */
  removed(removed, index) {
    this.told.push(`removed ${removed.id}`);
    assert.equal(this.shown[index], removed.asr);
    this.shown.splice(index, 1);
  }
}

/** @param {Line[]} lines */
function transcriptOf(lines, page = new Page()) {
  const transcript = new Transcript(page);
  for (const each of lines) transcript.receiveLine(each);
  return { transcript, page };
}

/** @param {Transcript} transcript */
const ids = (transcript) => transcript.lines.map(({ id }) => id);

describe("Lines", () => {
  test("are in the order of their time, however they come", () => {
    const { transcript, page } = transcriptOf([line(3), line(1), line(2)]);
    assert.deepEqual(ids(transcript), [1, 2, 3]);
    assert.deepEqual(page.shown, ["line 1", "line 2", "line 3"]);
  });

  test("that begin at the same time are in the order of their ids", () => {
    const at = { start_ms: 5000 };
    assert.deepEqual(ids(transcriptOf([line(9, at), line(4, at), line(7, at)]).transcript), [4, 7, 9]);
  });

  test("are found by id", () => {
    const { transcript } = transcriptOf([line(1), line(2)]);
    assert.equal(transcript.byId.get(2)?.asr, "line 2");
    assert.equal(transcript.byId.get(3), undefined);
  });

  test("that come twice are there once, as they were", () => {
    const { transcript, page } = transcriptOf([line(1), line(1, { asr: "again" })]);
    assert.deepEqual(page.told, ["added 1"]);
    assert.equal(transcript.lines[0].asr, "line 1");
  });

  test("count up how far the transcript is known, never down", () => {
    const { transcript } = transcriptOf([line(2), line(1)]);
    assert.equal(transcript.seq, 2);
    transcript.receiveLine(line(8, { seq: 0 })); // a person added it
    assert.equal(transcript.seq, 2);
  });
});

describe("A snapshot", () => {
  test("is taken as a whole with its marks", () => {
    const transcript = new Transcript();
    transcript.receiveSnapshot({ seq: 7, revision: 3, lines: [line(1), line(2)] });
    assert.deepEqual([ids(transcript), transcript.seq, transcript.revision], [[1, 2], 7, 3]);
  });

  test("that is older than what is known changes nothing back", () => {
    const { transcript } = transcriptOf([line(1), line(2)]);
    transcript.receiveRevision({ revision: 5, removed: false, line: line(1, { asr: "newer" }) });
    transcript.receiveSnapshot({ seq: 1, revision: 4, lines: [line(1, { revision: 4, asr: "older" })] });
    assert.equal(transcript.lines[0].asr, "newer");
    assert.deepEqual([transcript.seq, transcript.revision], [2, 5]);
  });
});

describe("A revision", () => {
  test("changes a line in its place", () => {
    const { transcript, page } = transcriptOf([line(1), line(2), line(3)]);
    transcript.receiveRevision({ revision: 1, removed: false, line: line(2, { asr: "two", spk: BORIS }) });
    assert.deepEqual(page.shown, ["line 1", "two", "line 3"]);
    assert.equal(page.told.at(-1), "changed 2");
    assert.equal(transcript.byId.get(2)?.spk, BORIS);
    assert.equal(transcript.revision, 1);
  });

  test("that gives a line another time moves it", () => {
    const { transcript, page } = transcriptOf([line(1), line(2), line(3)]);
    transcript.receiveRevision({ revision: 1, removed: false, line: line(1, { start_ms: 2500 }) });
    assert.deepEqual(ids(transcript), [2, 1, 3]);
    assert.deepEqual(page.told.slice(-2), ["removed 1", "added 1"]);
    assert.deepEqual(page.shown, ["line 2", "line 1", "line 3"]);
    assert.equal(transcript.byId.get(1)?.start_ms, 2500);
  });

  test("that comes late does not undo a newer one", () => {
    const { transcript } = transcriptOf([line(1)]);
    transcript.receiveRevision({ revision: 2, removed: false, line: line(1, { asr: "second" }) });
    transcript.receiveRevision({ revision: 1, removed: false, line: line(1, { asr: "first" }) });
    assert.equal(transcript.lines[0].asr, "second");
    assert.equal(transcript.revision, 2);
  });

  test("of a line that is not known brings it", () => {
    const { transcript } = transcriptOf([line(2)]);
    transcript.receiveRevision({ revision: 1, removed: false, line: line(1) });
    assert.deepEqual(ids(transcript), [1, 2]);
  });

  test("takes a line away", () => {
    const { transcript, page } = transcriptOf([line(1), line(2)]);
    transcript.receiveRevision({ revision: 1, removed: true, line: line(1) });
    assert.deepEqual([ids(transcript), page.shown], [[2], ["line 2"]]);
    assert.equal(transcript.byId.has(1), false);
  });

  test("that takes away what is not there says nothing", () => {
    const { transcript, page } = transcriptOf([line(1)]);
    transcript.receiveRevision({ revision: 1, removed: true, line: line(9) });
    assert.deepEqual(page.told, ["added 1"]);
  });
});

describe("An answer to one's own edit", () => {
  test("is taken at once, but the socket still has to bring what others changed before", () => {
    const { transcript } = transcriptOf([line(1)]);
    transcript.put(line(1, { revision: 4, asr: "mine" }));
    assert.equal(transcript.lines[0].asr, "mine");
    assert.equal(transcript.revision, 0);
  });

  test("and the same by the socket afterwards leave one reading", () => {
    const { transcript, page } = transcriptOf([line(1)]);
    transcript.put(line(1, { revision: 4, asr: "mine" }));
    transcript.receiveRevision({ revision: 4, removed: false, line: line(1, { asr: "mine" }) });
    assert.deepEqual(page.shown, ["mine"]);
  });
});

describe("A transcript", () => {
  test("needs nobody who listens", () => {
    const transcript = new Transcript();
    transcript.receiveLine(line(1));
    transcript.receiveRevision({ revision: 1, removed: false, line: line(1, { asr: "x" }) });
    transcript.receiveRevision({ revision: 2, removed: true, line: line(1) });
    assert.deepEqual(transcript.lines, []);
  });

  test("reads the same whatever the order of lines and revisions, and so does the page", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomSource(seed);
      const lines = Array.from({ length: between(random, 1, 12) }, (_, at) =>
        line(at + 1, { start_ms: 1000 * between(random, 0, 6) }),
      );
      const revisions = Array.from({ length: between(random, 0, 15) }, (_, at) => {
        const before = lines[between(random, 0, lines.length - 1)];
        const start = random() < 0.3 ? 1000 * between(random, 0, 6) : before.start_ms;
        return { revision: at + 1, removed: false, line: { ...before, asr: `revision ${at + 1}`, start_ms: start } };
      });
      /** @type {Map<number, Line>} */
      const expected = new Map(lines.map((each) => [each.id, each]));
      for (const { line: now } of revisions) expected.set(now.id, now);
      const inOrder = [...expected.values()].sort((one, other) => one.start_ms - other.start_ms || one.id - other.id);

      const { transcript, page } = transcriptOf([]);
      const acts = [
        ...lines.map((each) => () => transcript.receiveLine(each)),
        ...revisions.map((each) => () => transcript.receiveRevision(each)),
      ];
      while (acts.length) acts.splice(between(random, 0, acts.length - 1), 1)[0]();
      assert.deepEqual(
        transcript.lines.map(({ asr }) => asr),
        inOrder.map(({ asr }) => asr),
        `seed ${seed}`,
      );
      assert.deepEqual(
        page.shown,
        inOrder.map(({ asr }) => asr),
        `seed ${seed}`,
      );
      assert.deepEqual(new Set(transcript.byId.values()), new Set(transcript.lines));
    }
  });

  test("keeps the speaker of each line", () => {
    const { transcript } = transcriptOf([line(1, { spk: ANNA }), line(2, { spk: BORIS })]);
    assert.deepEqual(
      transcript.lines.map(({ spk }) => spk.speaker_name),
      ["Anna", "Boris"],
    );
  });
});
