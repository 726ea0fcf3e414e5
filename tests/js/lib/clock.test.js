import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { clock } from "../../../static/js/lib/clock.js";

describe("A clock", () => {
  for (const [ms, text] of /** @type {[number, string][]} */ ([
    [0, "0:00"],
    [999, "0:00"],
    [1000, "0:01"],
    [59_999, "0:59"],
    [60_000, "1:00"],
    [599_000, "9:59"],
    [3_599_999, "59:59"],
    [3_600_000, "1:00:00"],
    [3_661_000, "1:01:01"],
    [12 * 3_600_000, "12:00:00"],
    [100 * 3_600_000 + 59_000, "100:00:59"],
  ])) {
    test(`reads ${text} after ${ms} ms`, () => assert.equal(clock(ms), text));
  }

  test("does not run before the start", () => assert.equal(clock(-1), "0:00"));

  test("takes fractions of milliseconds, as audio elements give them", () => assert.equal(clock(1999.999), "0:01"));

  test("grows with time", () => {
    const seconds = (/** @type {string} */ text) => text.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
    for (let s = 0; s < 8000; s += 7) assert.equal(seconds(clock(1000 * s)), s);
  });
});
