import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { dueText, filledSections } from "../../../static/js/minutes/minutes.js";

/**
 * @param {number} id
 * @param {import("../../../static/js/minutes/minutes.js").Section} section
 */
const item = (id, section) => ({
  id,
  section,
  text: `item ${id}`,
  lines: [],
  at_ms: 0,
  who: null,
  until: "",
  due: null,
  is_done: false,
  is_edited: false,
  source: /** @type {const} */ ("patterns"),
});

describe("Sections", () => {
  test("come in the order in which they are read, those without anything not at all", () => {
    const found = filledSections([item(1, "question"), item(2, "action"), item(3, "decision"), item(4, "action")]);
    assert.deepEqual(
      found.map(({ section, items }) => [section, items.map(({ id }) => id)]),
      [
        ["decision", [3]],
        ["action", [2, 4]],
        ["question", [1]],
      ],
    );
  });

  test("that are long are folded at first", () => {
    const found = filledSections([item(1, "decision"), item(2, "figure")]);
    assert.deepEqual(
      found.map(({ isOpen }) => isOpen),
      [true, false],
    );
  });
});

describe("The day by which something is to be done", () => {
  test("is told as it was said, and as what it means", () => {
    const told = dueText({ until: "周五下班前", due: "2026-11-20" }, "en");
    assert.equal(told, "周五下班前 · Fri 20 Nov");
  });

  test("is what was said alone where no day is meant", () => {
    assert.equal(dueText({ until: "尽快", due: null }, "en"), "尽快");
    assert.equal(dueText({ until: "", due: null }, "en"), "");
  });

  test("may be one that a person has set", () => {
    assert.match(dueText({ until: "", due: "2026-11-20" }, "zh-hans"), /11月20日/);
  });
});
