import assert from "node:assert/strict";
import { test } from "node:test";

import { combinationOf } from "../../../static/js/session/keyboard.js";

const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

test("A key alone is its code", () => assert.equal(combinationOf({ ...none, code: "Space" }), "Space"));

test("Ctrl and Cmd are the same", () => {
  assert.equal(combinationOf({ ...none, code: "KeyZ", ctrlKey: true }), "mod+KeyZ");
  assert.equal(combinationOf({ ...none, code: "KeyZ", metaKey: true }), "mod+KeyZ");
});

test("Modifiers stand in one order", () => {
  assert.equal(
    combinationOf({ code: "KeyZ", ctrlKey: true, metaKey: true, altKey: true, shiftKey: true }),
    "mod+alt+shift+KeyZ",
  );
});
