import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Translations } from "../../../static/js/transcript/translations.js";

const ENGLISH = { number: 2, language: "en", lines: [{ id: 7, text: "Hello." }] };

describe("translations", () => {
  test("are kept by the ids of their lines, and the number to go on from", () => {
    const known = new Translations();
    assert.deepEqual(known.receive(ENGLISH), [7]);
    assert.deepEqual([known.number, known.texts.get(7)], [2, "Hello."]);
  });

  test("of another language take the place of all", () => {
    const known = new Translations();
    known.receive(ENGLISH);
    assert.deepEqual(known.receive({ number: 3, language: "de", lines: [{ id: 8, text: "Gut." }] }), [8, 7]);
    assert.deepEqual([...known.texts], [[8, "Gut."]]);
  });

  test("are forgotten when their line is changed", () => {
    const known = new Translations();
    known.receive(ENGLISH);
    known.forget(7);
    assert.equal(known.texts.size, 0);
  });
});
