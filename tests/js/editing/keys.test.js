import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Field, Key } from "../../../static/js/editing/keys.js" */

import { actionOf } from "../../../static/js/editing/keys.js";

const TEXT = "大家好";
const START = { value: TEXT, selectionStart: 0, selectionEnd: 0 };
const MIDDLE = { value: TEXT, selectionStart: 1, selectionEnd: 1 };
const END = { value: TEXT, selectionStart: 3, selectionEnd: 3 };
const ALL = { value: TEXT, selectionStart: 0, selectionEnd: 3 };
const EMPTY = { value: "", selectionStart: 0, selectionEnd: 0 };

/**
 * @param {string} name
 * @param {Field} field
 * @param {Partial<Key>} [more]
 */
function press(name, field, more = {}) {
  const key = {
    key: name,
    keyCode: 0,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
  };
  return actionOf({ ...key, ...more }, field);
}

describe("Enter", () => {
  test("saves, as in most editors, wherever the cursor is", () => {
    for (const field of [START, MIDDLE, END, ALL, EMPTY]) assert.equal(press("Enter", field), "close");
  });

  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    test(`with ${modifier} saves, with Shift too`, () => {
      assert.equal(press("Enter", MIDDLE, { [modifier]: true }), "close");
      assert.equal(press("Enter", MIDDLE, { [modifier]: true, shiftKey: true }), "close");
    });
  }

  test("with Shift splits", () => {
    for (const field of [START, MIDDLE, END, ALL, EMPTY]) {
      assert.equal(press("Enter", field, { shiftKey: true }), "split");
    }
  });
});

test("Escape takes back", () => assert.equal(press("Escape", MIDDLE), "cancel"));

describe("Backspace", () => {
  test("at the start merges with the line before", () => assert.equal(press("Backspace", START), "merge-before"));
  test("elsewhere deletes a character, and a selection", () => {
    for (const field of [MIDDLE, END, ALL]) assert.equal(press("Backspace", field), null);
  });
});

describe("Delete", () => {
  test("at the end merges with the line after", () => assert.equal(press("Delete", END), "merge-after"));
  test("elsewhere deletes a character, and a selection", () => {
    for (const field of [START, MIDDLE, ALL]) assert.equal(press("Delete", field), null);
  });
});

describe("Arrows", () => {
  test("at the ends go to the lines beside", () => {
    assert.equal(press("ArrowUp", START), "go-before");
    assert.equal(press("ArrowDown", END), "go-after");
  });

  test("elsewhere move the cursor", () => {
    for (const field of [MIDDLE, END, ALL]) assert.equal(press("ArrowUp", field), null);
    for (const field of [MIDDLE, START, ALL]) assert.equal(press("ArrowDown", field), null);
    assert.equal(press("ArrowLeft", START), null);
  });
});

test("An empty field is at its start and at its end", () => {
  const actions = ["Backspace", "Delete", "ArrowUp", "ArrowDown"].map((name) => press(name, EMPTY));
  assert.deepEqual(actions, ["merge-before", "merge-after", "go-before", "go-after"]);
});

test("Keys with a modifier are the browser's", () => {
  for (const name of ["Backspace", "Delete", "ArrowUp", "ArrowDown"]) {
    for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
      assert.equal(press(name, EMPTY, { [modifier]: true }), null);
    }
  }
});

test("Keys that an input method has taken are its own", () => {
  for (const name of ["Enter", "Escape", "Backspace", "Delete", "ArrowUp", "ArrowDown"]) {
    assert.equal(press(name, EMPTY, { isComposing: true }), null);
    assert.equal(press(name, EMPTY, { keyCode: 229 }), null);
  }
});

test("Letters are letters", () => {
  for (const name of ["a", "好", " ", "Tab", "constructor"]) assert.equal(press(name, EMPTY), null);
});
