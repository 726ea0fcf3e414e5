import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { PartialView } from "../../../static/js/transcript/partial-view.js";
import { closePage, replace } from "../support/page.js";

/** As much of an element as the view touches. */
class Place {
  hidden = true;
  lang = "";
  textContent = "";
  /** @type {Record<string, Place>} */
  inner = {};

  /** @param {string} selector */
  querySelector(selector) {
    return this.inner[selector] ?? null;
  }
}

describe("what is being said", () => {
  /** @type {Place} */
  let place;
  /** @type {PartialView} */
  let view;

  before(() => replace("HTMLElement", Place));
  after(closePage);

  beforeEach(() => {
    place = new Place();
    place.inner = { ".firm": new Place(), ".tail": new Place() };
    view = new PartialView(/** @type {HTMLElement} */ (/** @type {unknown} */ (place)));
  });

  const shown = () => [place.inner[".firm"].textContent, place.inner[".tail"].textContent];

  test("stands apart from what may still change", () => {
    view.show({ asr: "我们先看", tail: "一下上" });
    assert.deepEqual(shown(), ["我们先看", "一下上"]);
    assert.equal(place.hidden, false);
    assert.equal(place.lang, "zh-Hans");
  });

  test("is shown though nothing is certain yet", () => {
    view.show({ asr: "", tail: "我们" });
    assert.deepEqual(shown(), ["", "我们"]);
    assert.equal(place.hidden, false);
    assert.equal(place.lang, "zh-Hans");
  });

  test("keeps no tail of the message before", () => {
    view.show({ asr: "我们", tail: "现" });
    view.show({ asr: "我们先看" });
    assert.deepEqual(shown(), ["我们先看", ""]);
  });

  test("is gone when nothing is said", () => {
    view.show({ asr: "hello", tail: " world" });
    assert.equal(place.lang, "en");
    view.clear();
    assert.deepEqual(shown(), ["", ""]);
    assert.equal(place.hidden, true);
  });
});
