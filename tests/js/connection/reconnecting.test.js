import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Fault } from "../../../static/js/connection/messages.js" */

import { afterClose, retryDelayMs } from "../../../static/js/connection/reconnecting.js";

/**
 * @param {Partial<Fault>} fields
 * @returns {Fault}
 */
function fault(fields) {
  return { code: "internal", message: "", close: 4500, retryable: true, retry_after: null, param: null, ...fields };
}

describe("A socket that was closed", () => {
  test("as it should be is done", () => assert.equal(afterClose(1000, null), "done"));

  for (const code of [1001, 1005, 1006, 1011, 1012, 4500, 4503]) {
    test(`with ${code} and without a word comes back`, () => assert.equal(afterClose(code, null), "retry"));
  }

  test("for a fault that passes comes back", () => {
    assert.equal(afterClose(4503, fault({ code: "going_away", close: 4503 })), "retry");
  });

  test("for a fault that stays is refused", () => {
    assert.equal(afterClose(4403, fault({ code: "forbidden", close: 4403, retryable: false })), "refused");
  });

  test("because it is too long comes back, to be told up to where it was kept", () => {
    assert.equal(afterClose(4440, fault({ code: "session_too_long", close: 4440, retryable: false })), "retry");
  });

  test("by the network, after a fault that closes nothing, comes back", () => {
    assert.equal(afterClose(1006, fault({ code: "bad_command", close: null, retryable: false })), "retry");
  });
});

describe("The wait before another attempt", () => {
  test("grows up to eight seconds", () => {
    const waits = [0, 1, 2, 3, 4, 5, 100].map((attempts) => retryDelayMs(attempts, null, 0));
    assert.deepEqual(waits, [300, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test("differs by chance by less than a third, so that not all pages come back at once", () => {
    for (let attempts = 0; attempts < 8; attempts += 1) {
      const shortest = retryDelayMs(attempts, null, 0);
      for (let chance = 0; chance < 1; chance += 0.05) {
        const wait = retryDelayMs(attempts, null, chance);
        assert.ok(shortest <= wait && wait < 1.3 * shortest + 1e-9);
      }
      assert.ok(retryDelayMs(attempts, null, 0.999) > 1.25 * shortest);
    }
  });

  test("is not shorter than the server asks for", () => {
    assert.equal(retryDelayMs(0, fault({ retry_after: 20 }), 0.5), 20_000);
    assert.equal(retryDelayMs(4, fault({ retry_after: 0.1 }), 0), 8000);
  });
});
