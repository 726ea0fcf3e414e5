import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Upload } from "../../../static/js/uploads/progress-text.js" */

import { isNews, isOver, share, stateText } from "../../../static/js/uploads/progress-text.js";

const NOW = Date.parse("2026-11-30T12:00:00Z");

/**
 * @param {Partial<Upload>} known
 * @returns {Upload}
 */
function upload(known) {
  return {
    id: "1",
    name: "周会.mp3",
    state: "receiving",
    size: 200,
    received: 0,
    before: 0,
    duration_ms: 0,
    done_ms: 0,
    session: null,
    url: null,
    error: "",
    finished_at: null,
    ...known,
  };
}

describe("the share that is done", () => {
  test("is that of the bytes, then that of the recording", () => {
    assert.equal(share(upload({ received: 50 })), 0.25);
    assert.equal(share(upload({ state: "waiting", received: 200 })), 0);
    assert.equal(share(upload({ state: "running", duration_ms: 1000, done_ms: 500 })), 0.5);
  });

  test("is never more than all, and unknown where the length is", () => {
    assert.equal(share(upload({ state: "running", duration_ms: 1000, done_ms: 1100 })), 1);
    assert.equal(share(upload({ state: "running", done_ms: 1100 })), null);
    assert.equal(share(upload({ state: "done" })), null);
  });
});

describe("the words", () => {
  test("tell how a file is sent", () => {
    const half = upload({ received: 100 });
    assert.equal(stateText(half, "sending"), "Sending · 50%");
    assert.equal(stateText(half, "queued"), "Will be sent next");
    assert.match(stateText(half, "offline"), /cannot be reached.*50%/);
    assert.match(stateText(half, ""), /choose the same file again/);
  });

  test("tell how long it waits", () => {
    assert.equal(stateText(upload({ state: "waiting" }), ""), "Waiting to be transcribed");
    assert.match(stateText(upload({ state: "waiting", before: 3 }), ""), /3 files/);
  });

  test("tell how far it is", () => {
    const running = upload({ state: "running", duration_ms: 7_200_000, done_ms: 65_000 });
    assert.equal(stateText(running, ""), "Transcribing · 1:05 / 2:00:00");
    assert.equal(stateText({ ...running, duration_ms: 0 }, ""), "Transcribing · 1:05");
  });

  test("tell why it failed, as the server says it", () => {
    assert.equal(
      stateText(upload({ state: "failed", error: "The file holds no audio." }), ""),
      "The file holds no audio.",
    );
  });
});

test("a file is over when nothing more becomes of it", () => {
  const states = /** @type {Upload["state"][]} */ (["receiving", "waiting", "running", "done", "failed", "cancelled"]);
  assert.deepEqual(
    states.map((state) => isOver(upload({ state }))),
    [false, false, false, true, true, true],
  );
});

test("what is done is news for a day, what failed until it is removed, what was called off never", () => {
  const before = (/** @type {number} */ hours) => new Date(NOW - hours * 3_600_000).toISOString();
  assert.ok(isNews(upload({ state: "done", finished_at: before(23) }), NOW));
  assert.ok(!isNews(upload({ state: "done", finished_at: before(25) }), NOW));
  assert.ok(isNews(upload({ state: "failed", finished_at: before(100) }), NOW));
  assert.ok(!isNews(upload({ state: "cancelled", finished_at: before(0) }), NOW));
});
