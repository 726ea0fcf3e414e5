import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Outbox } from "../../../static/js/recording/outbox.js";
import { between, randomSource } from "../support/random.js";

/**
 * Return samples that are their own positions.
 *
 * @param {number} from
 * @param {number} to
 */
const audio = (from, to) => Float32Array.from({ length: to - from }, (_, at) => from + at);

/** @param {[number, number][]} pieces */
function outboxOf(pieces, capacity = Infinity) {
  const outbox = new Outbox(capacity);
  for (const [from, to] of pieces) outbox.append(audio(from, to));
  return outbox;
}

/** @param {Outbox} outbox */
function takeAll(outbox, longest = 1000) {
  const taken = [];
  for (let piece = outbox.take(longest); piece; piece = outbox.take(longest)) taken.push(...piece);
  return taken;
}

describe("Audio", () => {
  test("is sent in the order in which it was recorded, once", () => {
    const outbox = outboxOf([
      [0, 3],
      [3, 5],
    ]);
    assert.deepEqual(outbox.take(1000), audio(0, 3));
    assert.deepEqual(outbox.take(1000), audio(3, 5));
    assert.equal(outbox.take(1000), null);
  });

  test("is sent in messages that are not too long", () => {
    const outbox = outboxOf([[0, 7]]);
    assert.deepEqual([outbox.take(3), outbox.take(3), outbox.take(3)], [audio(0, 3), audio(3, 6), audio(6, 7)]);
  });

  test("that is not sent yet is counted", () => {
    const outbox = outboxOf([[0, 7]]);
    assert.equal(outbox.unsent, 7);
    outbox.take(3);
    assert.equal(outbox.unsent, 4);
  });

  test("that is empty is no message", () => {
    const outbox = outboxOf([
      [0, 0],
      [0, 2],
    ]);
    assert.deepEqual(outbox.take(10), audio(0, 2));
    assert.equal(outbox.take(10), null);
  });

  test("can be recorded after all before it was sent and forgotten", () => {
    const outbox = outboxOf([[0, 2]]);
    takeAll(outbox);
    outbox.forget(2);
    outbox.append(audio(2, 4));
    assert.deepEqual(takeAll(outbox), [2, 3]);
  });
});

describe("After a lost connection", () => {
  test("audio is sent again from where the server is", () => {
    const outbox = outboxOf([
      [0, 4],
      [4, 8],
    ]);
    outbox.resumeFrom(0);
    takeAll(outbox);
    outbox.resumeFrom(3);
    assert.equal(outbox.unsent, 5);
    assert.deepEqual(takeAll(outbox), [3, 4, 5, 6, 7]);
  });

  test("nothing is sent again that the server has, and nothing left out", () => {
    const outbox = outboxOf([[0, 8]]);
    outbox.resumeFrom(0);
    outbox.take(2); // on its way when the connection broke
    outbox.resumeFrom(0);
    assert.deepEqual(takeAll(outbox), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("a server that is further than what was sent is believed", () => {
    const outbox = outboxOf([[0, 8]]);
    outbox.resumeFrom(0);
    outbox.resumeFrom(6);
    assert.deepEqual(takeAll(outbox), [6, 7]);
  });

  test("a server that is beyond the recording gets nothing, one before what is kept silence in its place", () => {
    const outbox = outboxOf([
      [0, 4],
      [4, 8],
    ]);
    outbox.resumeFrom(0);
    takeAll(outbox);
    outbox.forget(4);
    outbox.resumeFrom(99);
    assert.equal(outbox.unsent, 0);
    outbox.resumeFrom(1);
    assert.deepEqual(takeAll(outbox, 2), [0, 0, 0, 4, 5, 6, 7]);
  });
});

describe("Another session", () => {
  test("begins with what the one before did not get", () => {
    const outbox = outboxOf([
      [0, 4],
      [4, 8],
    ]);
    outbox.resumeFrom(1000);
    takeAll(outbox);
    outbox.startAgain(1003);
    assert.deepEqual([outbox.start, outbox.end, outbox.unsent], [0, 5, 5]);
    outbox.append(audio(8, 9));
    assert.deepEqual(takeAll(outbox), [3, 4, 5, 6, 7, 8]);
    outbox.resumeFrom(2);
    assert.deepEqual(takeAll(outbox), [5, 6, 7, 8]);
  });

  test("begins empty where the one before got all", () => {
    const outbox = outboxOf([[0, 4]]);
    outbox.startAgain(4);
    assert.deepEqual([outbox.start, outbox.end, takeAll(outbox).length], [0, 0, 0]);
  });

  test("begins with silence for what was lost meanwhile, so that times stay right", () => {
    const outbox = outboxOf(
      [
        [0, 4],
        [4, 8],
        [8, 12],
      ],
      4,
    );
    outbox.startAgain(2);
    assert.equal(outbox.lost, 8);
    assert.deepEqual(takeAll(outbox), [0, 0, 0, 0, 0, 0, 8, 9, 10, 11]);
  });
});

test("What is left over is what was recorded from a position on", () => {
  const outbox = outboxOf([
    [0, 4],
    [4, 8],
  ]);
  const after = (/** @type {number} */ position) => outbox.after(position).flatMap((piece) => [...piece]);
  assert.deepEqual([after(0).length, after(3), after(8)], [8, [3, 4, 5, 6, 7], []]);
});

describe("The first connection", () => {
  test("places the recording where the session goes on", () => {
    const outbox = outboxOf([[0, 4]]);
    outbox.resumeFrom(1000);
    assert.deepEqual([outbox.start, outbox.end, outbox.unsent], [1000, 1004, 4]);
    assert.deepEqual(takeAll(outbox), [0, 1, 2, 3]);
    outbox.forget(1004);
    assert.equal(outbox.start, 1004);
  });

  test("places it also where nothing was recorded yet", () => {
    const outbox = new Outbox();
    outbox.resumeFrom(500);
    outbox.append(audio(0, 3));
    assert.deepEqual([outbox.start, outbox.end, outbox.unsent], [500, 503, 3]);
  });
});

describe("What is safe", () => {
  test("is forgotten by whole pieces", () => {
    const outbox = outboxOf([
      [0, 4],
      [4, 8],
    ]);
    takeAll(outbox);
    outbox.forget(3);
    assert.equal(outbox.start, 0);
    outbox.forget(4);
    assert.equal(outbox.start, 4);
    outbox.forget(8);
    assert.deepEqual([outbox.start, outbox.chunks.length], [8, 0]);
  });

  test("need not be sent any more", () => {
    const outbox = outboxOf([
      [0, 4],
      [4, 8],
    ]);
    outbox.forget(4);
    assert.deepEqual(takeAll(outbox), [4, 5, 6, 7]);
  });
});

test("A server that loses what it had gets it again, as far back as the reserve", () => {
  const outbox = new Outbox(Infinity, 4);
  for (const at of [0, 4, 8]) outbox.append(audio(at, at + 4));
  outbox.resumeFrom(0);
  takeAll(outbox);
  outbox.forget(12);
  assert.equal(outbox.start, 8);
  outbox.resumeFrom(8);
  assert.deepEqual(takeAll(outbox), [8, 9, 10, 11]);
  assert.equal(outbox.lost, 0);
});

test("What the server has and a full page drops is not lost", () => {
  const outbox = new Outbox(8, 8);
  for (const at of [0, 4]) outbox.append(audio(at, at + 4));
  outbox.resumeFrom(0);
  outbox.forget(4);
  outbox.append(audio(8, 12));
  assert.deepEqual([outbox.start, outbox.lost], [4, 0]);
  outbox.append(audio(12, 16));
  assert.deepEqual([outbox.start, outbox.lost], [8, 4]);
});

describe("A server that cannot be reached for long", () => {
  test("makes the oldest audio give way", () => {
    const outbox = outboxOf(
      [
        [0, 4],
        [4, 8],
        [8, 12],
      ],
      8,
    );
    assert.deepEqual([outbox.start, outbox.lost], [4, 4]);
    assert.deepEqual(takeAll(outbox), [0, 0, 0, 0, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("keeps at least as much as there is room for", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = randomSource(seed);
      const outbox = new Outbox(20);
      for (let at = 0; at < 200;) {
        const to = at + between(random, 1, 9);
        outbox.append(audio(at, to));
        at = to;
        const kept = outbox.end - outbox.start;
        assert.ok(kept >= Math.min(20, at) && kept < 20 + 9);
        assert.equal(outbox.lost, outbox.start);
      }
    }
  });
});

test("The server has every sample once and in order, however often the connection breaks", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomSource(seed);
    const outbox = new Outbox();
    /** @type {number[]} */
    const server = [];
    /** @type {number[]} */
    let onTheWay = [];
    let recorded = 0;
    outbox.resumeFrom(0);
    const arrive = (/** @type {number} */ count) => server.push(...onTheWay.splice(0, count));
    const acts = [
      () => {
        const to = recorded + between(random, 0, 9);
        outbox.append(audio(recorded, to));
        recorded = to;
      },
      () => onTheWay.push(...(outbox.take(between(random, 1, 12)) ?? [])),
      () => arrive(between(random, 0, onTheWay.length)),
      () => outbox.forget(between(random, 0, server.length)),
      () => {
        onTheWay = []; // lost
        outbox.resumeFrom(server.length);
      },
    ];
    for (let step = 0; step < 200; step += 1) acts[between(random, 0, acts.length - 1)]();
    onTheWay.push(...takeAll(outbox));
    arrive(onTheWay.length);
    assert.deepEqual(server, [...audio(0, recorded)], `seed ${seed}`);
  }
});
