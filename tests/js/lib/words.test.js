import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as words from "../../../static/js/lib/words.js";
import { ANNA, stranger } from "../support/lines.js";

/** @typedef {typeof import("../../../static/js/lib/words.js")} Words */

/**
 * Load the module as a page with this catalogue does.
 *
 * @param {object} catalogue
 * @returns {Promise<Words>}
 */
async function wordsWith(catalogue) {
  Object.assign(globalThis, catalogue);
  try {
    return await import(`../../../static/js/lib/words.js?${Math.random()}`);
  } finally {
    for (const name of Object.keys(catalogue)) Reflect.deleteProperty(globalThis, name);
  }
}

describe("Texts", () => {
  test("are as they are written where there is no catalogue", () => {
    assert.equal(words.gettext("Play"), "Play");
    assert.equal(words.ngettext("one line", "lines", 1), "one line");
    assert.equal(words.ngettext("one line", "lines", 0), "lines");
    assert.equal(words.ngettext("one line", "lines", 2), "lines");
  });

  test("come from Django's catalogue", async () => {
    const chinese = await wordsWith({
      gettext: (/** @type {string} */ text) =>
        ({ Play: "播放", "Speaker %(number)s": "发言人 %(number)s" })[text] ?? text,
      ngettext: () => "行",
    });
    assert.equal(chinese.gettext("Play"), "播放");
    assert.equal(chinese.ngettext("line", "lines", 1), "行");
    assert.equal(chinese.speakerName(stranger(3)), "发言人 3");
  });
});

describe("Filling in", () => {
  test("puts each value in its place, also twice and in another order", () => {
    assert.equal(words.fill("%(b)s of %(a)s: %(b)s", { a: 2, b: "one" }), "one of 2: one");
  });

  test("leaves other percent signs alone", () => {
    assert.equal(words.fill("%(share)s % of the talking", { share: 44 }), "44 % of the talking");
  });

  test("does not fill in what a value says", () => {
    assert.equal(words.fill("%(text)s", { text: "%(name)s $& $1", name: "no" }), "%(name)s $& $1");
  });
});

describe("The language of a line", () => {
  for (const text of ["你好", "用 Django 写的", "𠮷野家", "OK，好"]) {
    test(`is Chinese for ${text}`, () => assert.equal(words.languageOf(text), "zh-Hans"));
  }
  for (const text of ["", "hello", "12:30", "，。", "naïve"]) {
    test(`is English for "${text}"`, () => assert.equal(words.languageOf(text), "en"));
  }
});

describe("A speaker", () => {
  test("who is known has a name", () => {
    assert.equal(words.speakerName(ANNA), "Anna");
    assert.equal(words.speakerInitial(ANNA), "A");
  });

  test("who is a stranger has a number", () => {
    assert.equal(words.speakerName(stranger(12)), "Speaker 12");
    assert.equal(words.speakerInitial(stranger(12)), "12");
  });

  test("of whom nothing is known is said to be unknown", () => {
    assert.equal(words.speakerName({}), "Unknown speaker");
    assert.equal(words.speakerName({ number: null, speaker_name: "" }), "Unknown speaker");
  });

  test("has a whole character as initial, also beyond the first plane", () => {
    assert.equal(words.initialOf("𠮷田"), "𠮷");
    assert.equal(words.initialOf("李芳"), "李");
    assert.equal(words.initialOf(""), "");
  });
});
