import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import {
  forgetSender,
  nextAttempt,
  rememberedSender,
  rememberSender,
} from "../../../static/js/recording/remembering.js";
import { closePage, openPage, replace } from "../support/page.js";

/** What a browser keeps as long as a window is there. */
class Storage {
  kept = new Map();

  /** @param {string} name */
  getItem(name) {
    return this.kept.get(name) ?? null;
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  setItem(name, value) {
    this.kept.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.kept.delete(name);
  }
}

beforeEach(() => {
  openPage();
  replace("sessionStorage", new Storage());
});

afterEach(closePage);

describe("The right to go on", () => {
  test("is remembered for each session until it is forgotten", () => {
    rememberSender("周会", "one");
    rememberSender("other", "two");
    forgetSender("other");
    assert.deepEqual([rememberedSender("周会"), rememberedSender("other"), rememberedSender("new")], ["one", "", ""]);
  });
});

describe("The number of a connection", () => {
  test("grows with each, whichever session it is of", () => {
    assert.deepEqual([nextAttempt(), nextAttempt(), nextAttempt()], [1, 2, 3]);
  });
});
