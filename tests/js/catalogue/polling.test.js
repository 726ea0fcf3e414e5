import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ended, waitMs } from "../../../static/js/catalogue/polling.js";

describe("What is running is asked for", () => {
  const quiet = { hasCards: false, failures: 0, isHidden: false };

  test("more often while something runs", () => {
    assert.ok(Number(waitMs({ ...quiet, hasCards: true })) < Number(waitMs(quiet)));
  });

  test("never while nobody looks", () => {
    assert.equal(waitMs({ hasCards: true, failures: 3, isHidden: true }), null);
  });

  test("now and then behind other pages where notices are awaited", () => {
    assert.equal(waitMs({ ...quiet, isHidden: true, isAwaited: true }), 20_000);
    assert.equal(waitMs({ ...quiet, isAwaited: true }), waitMs(quiet));
  });

  test("less and less often where nothing answers, and at least every minute", () => {
    const waits = [1, 2, 3, 4, 5, 50].map((failures) => waitMs({ ...quiet, hasCards: true, failures }));
    assert.deepEqual(waits, [6000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  });
});

describe("Meetings have ended", () => {
  test("that were running and are so no more", () => assert.deepEqual(ended(["a", "b", "c"], ["c", "d"]), ["a", "b"]));
  test("not because another began", () => assert.deepEqual(ended(["a"], ["b", "a"]), []));
});
