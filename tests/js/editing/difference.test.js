import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Part } from "../../../static/js/editing/difference.js" */

import { difference } from "../../../static/js/editing/difference.js";
import { randomSource, randomText } from "../support/random.js";

/**
 * @param {Part[]} parts
 * @param {string} other
 */
const without = (parts, other) =>
  parts
    .filter(([kind]) => kind !== other)
    .map(([, text]) => text)
    .join("");

/** @param {Part[]} parts */
const kept = (parts) =>
  [
    ...parts
      .filter(([kind]) => kind === "same")
      .map(([, text]) => text)
      .join(""),
  ].length;

/**
 * Return the length of the longest common subsequence, by the definition.
 *
 * @param {string[]} one
 * @param {string[]} two
 * @returns {number}
 */
function longestCommon(one, two) {
  if (!one.length || !two.length) return 0;
  if (one[0] === two[0]) return 1 + longestCommon(one.slice(1), two.slice(1));
  return Math.max(longestCommon(one.slice(1), two), longestCommon(one, two.slice(1)));
}

describe("The difference", () => {
  test("between equal texts is none", () => {
    assert.deepEqual(difference("same", "same"), [["same", "same"]]);
    assert.deepEqual(difference("", ""), []);
  });

  test("from and to nothing is everything", () => {
    assert.deepEqual(difference("", "new"), [["added", "new"]]);
    assert.deepEqual(difference("old", ""), [["removed", "old"]]);
  });

  test("is what was changed and no more", () => {
    assert.deepEqual(difference("好的，没问题。", "好的，明白。"), [
      ["same", "好的，"],
      ["removed", "没问题"],
      ["added", "明白"],
      ["same", "。"],
    ]);
  });

  test("at the end of a repetition is found once", () => {
    assert.deepEqual(difference("aaa", "aa"), [
      ["same", "aa"],
      ["removed", "a"],
    ]);
    assert.deepEqual(difference("aa", "aaa"), [
      ["same", "aa"],
      ["added", "a"],
    ]);
  });

  test("does not cut a character in two", () => {
    assert.deepEqual(difference("𠮷", "𠮸"), [
      ["removed", "𠮷"],
      ["added", "𠮸"],
    ]);
  });

  test("of texts too long to compare is a replacement of what is not common to their ends", () => {
    const [before, after] = ["a".repeat(1200), "b".repeat(1200)];
    assert.deepEqual(difference(`(${before})`, `(${after})`), [
      ["same", "("],
      ["removed", before],
      ["added", after],
      ["same", ")"],
    ]);
  });

  test("of long texts with a small change is small", () => {
    const text = "今天的会议".repeat(2000);
    assert.deepEqual(
      difference(`${text}x${text}`, `${text}y${text}`).map(([kind, part]) => [kind, part.length]),
      [
        ["same", 10_000],
        ["removed", 1],
        ["added", 1],
        ["same", 10_000],
      ],
    );
  });
});

test("Parts give both texts back, alternate in kind, and keep as much as can be kept", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomSource(seed);
    const before = randomText(random, ["a", "b", "𠮷"], 8);
    const after = randomText(random, ["a", "b", "𠮷"], 8);
    const parts = difference(before, after);
    assert.equal(without(parts, "added"), before, `seed ${seed}`);
    assert.equal(without(parts, "removed"), after, `seed ${seed}`);
    assert.ok(parts.every(([kind, text], at) => text && kind !== parts[at + 1]?.[0]));
    assert.equal(kept(parts), longestCommon([...before], [...after]), `${before} -> ${after}`);
  }
});
