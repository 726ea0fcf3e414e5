import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Progress } from "../../../static/js/recording/progress.js";

describe("The progress of a file", () => {
  test("is what was recognised, whatever was sent", () => {
    const progress = new Progress(60_000);
    assert.equal(progress.share, 0);
    progress.done(15_000);
    assert.equal(progress.share, 0.25);
  });

  test("never goes back, and not beyond the end", () => {
    const progress = new Progress(60_000);
    progress.done(30_000);
    progress.done(20_000);
    assert.equal(progress.doneMs, 30_000);
    progress.done(61_000);
    assert.equal(progress.share, 1);
  });

  test("tells how long the rest takes at the pace so far", () => {
    const progress = new Progress(60_000);
    progress.took(4000);
    progress.done(20_000);
    assert.equal(progress.leftMs, 8000);
    progress.done(60_000);
    assert.equal(progress.leftMs, 0);
  });

  test("tells nothing as long as it would be a guess", () => {
    const progress = new Progress(60_000);
    progress.took(10_000);
    assert.equal(progress.leftMs, null, "nothing is done");
    const early = new Progress(60_000);
    early.took(500);
    early.done(1000);
    assert.equal(early.leftMs, null, "too early");
  });

  test("of nothing is none", () => assert.equal(new Progress(0).share, 0));
});
