import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { NoteForm } from "../../../static/js/notes/note-form.js";
import { closePage, replace } from "../support/page.js";

/** As much of an element as the form touches. */
class Part extends EventTarget {
  hidden = true;
  value = "";
  textContent = "";

  focus() {}
}

describe("The form of a note", () => {
  /** @type {Map<string, Part>} */
  const parts = new Map();
  /** @type {object[]} */
  let sent;
  /** @type {((note: number | undefined) => void)[]} how each that was sent is answered */
  let answers;
  /** @type {NoteForm} */
  let form;

  before(() => {
    for (const name of ["HTMLElement", "HTMLFormElement", "HTMLTextAreaElement"]) replace(name, Part);
    replace("document", { getElementById: (/** @type {string} */ id) => parts.get(id) });
  });
  after(closePage);

  beforeEach(() => {
    for (const id of ["note-form", "note-text", "note-cancel", "note-moment", "note-add"]) parts.set(id, new Part());
    sent = [];
    answers = [];
    form = new NoteForm((request) => {
      sent.push(request);
      return new Promise((resolve) => answers.push(resolve));
    });
    form.open({ ms: 61_000, text: "", request: (text) => ({ text }) });
    form.field.value = " budget ";
  });

  const enter = () =>
    form.field.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter" }));
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test("says to which moment it belongs", () => assert.equal(parts.get("note-moment")?.textContent, "1:01"));

  test("sends one note however often Enter is pressed, and closes when it is stored", async () => {
    enter();
    enter();
    assert.deepEqual([sent, form.form.hidden], [[{ text: "budget" }], false]);
    answers[0](7);
    await settled();
    assert.equal(form.form.hidden, true);
  });

  test("stays open after a failure, to be sent again", async () => {
    enter();
    answers[0](undefined);
    await settled();
    assert.equal(form.form.hidden, false);
    enter();
    assert.equal(sent.length, 2);
  });

  test("stays open for another note that was begun meanwhile", async () => {
    enter();
    form.open({ ms: 0, text: "", request: (text) => ({ other: text }) });
    answers[0](7);
    await settled();
    assert.equal(form.form.hidden, false);
  });

  test("sends nothing without a text", () => {
    form.field.value = "  ";
    enter();
    assert.deepEqual(sent, []);
  });
});
