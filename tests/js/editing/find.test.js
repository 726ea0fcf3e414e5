import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { excerpt, places } from "../../../static/js/editing/find.js";
import { randomSource, randomText } from "../support/random.js";

describe("Places of a text", () => {
  test("are none for nothing", () => {
    assert.deepEqual(places("text", ""), []);
    assert.deepEqual(places("", "text"), []);
    assert.deepEqual(places("short", "longer text"), []);
  });

  test("are all of them in order", () => {
    assert.deepEqual(places("预算和预算", "预算"), [
      [0, 2],
      [3, 5],
    ]);
  });

  test("do not overlap", () => {
    assert.deepEqual(places("aaaa", "aa"), [
      [0, 2],
      [2, 4],
    ]);
    assert.deepEqual(places("aaa", "aa"), [[0, 2]]);
  });

  test("are found in capitals and small letters alike, unless case matters", () => {
    assert.deepEqual(places("Django and DJANGO", "django"), [
      [0, 6],
      [11, 17],
    ]);
    assert.deepEqual(places("Django and DJANGO", "DJANGO", true), [[11, 17]]);
    assert.deepEqual(places("ÄÖ", "äö"), [[0, 2]]);
  });

  test("take signs as they are", () => {
    assert.deepEqual(places("1.5 (a.b)", "."), [
      [1, 2],
      [6, 7],
    ]);
    assert.deepEqual(places("50% $1", "$1"), [[4, 6]]);
  });

  test("stay right behind a letter that is longer in lower case", () => {
    const text = "İstanbul İ Rom";
    for (const find of ["rom", "İ", "istanbul", "stanbul"]) {
      for (const [begin, stop] of places(text, find)) {
        assert.equal(text.slice(begin, stop).toLowerCase(), find.toLowerCase());
      }
    }
    assert.deepEqual(places(text, "rom"), [[11, 14]]);
  });

  test("are counted in units of strings, as ranges of the page are", () => {
    assert.deepEqual(places("𠮷好", "好"), [[2, 3]]);
  });

  test("hold what was looked for, and between them it is nowhere", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomSource(seed);
      const text = randomText(random, ["a", "A", "b", "预", "算", "İ", " "], 30);
      const find = randomText(random, ["a", "A", "b", "预", "算"], 3);
      const found = places(text, find);
      let from = 0;
      for (const [begin, stop] of [...found, /** @type {[number, number]} */ ([text.length, text.length])]) {
        assert.ok(begin >= from);
        assert.equal(
          find !== "" && text.slice(from, begin).toLowerCase().includes(find.toLowerCase()),
          false,
          `seed ${seed}`,
        );
        from = stop;
      }
      for (const [begin, stop] of found) assert.equal(text.slice(begin, stop).toLowerCase(), find.toLowerCase());
    }
  });
});

/** @param {{kind: string, text: string}[]} parts */
const marked = (parts) => parts.map(({ kind, text }) => (kind === "found" ? `[${text}]` : text)).join("");

describe("An excerpt", () => {
  test("marks what was found", () => {
    const text = "预算和预算。";
    assert.equal(marked(excerpt(text, places(text, "预算"))), "[预算]和[预算]。");
  });

  test("begins a little before the first place", () => {
    const text = "a long beginning and then the word";
    assert.equal(marked(excerpt(text, places(text, "word"))), "…nd then the [word]");
  });

  test("begins at the beginning where that is near", () => {
    const text = "not far: word";
    assert.equal(marked(excerpt(text, places(text, "word"))), "not far: [word]");
  });

  test("leaves nothing out behind its beginning, and has no empty parts", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const text = `${randomText(randomSource(seed), ["a", "b"], 40)}x`;
      for (const find of ["x", "a", "b"]) {
        const found = places(text, find);
        const parts = found.length ? excerpt(text, found) : [];
        assert.ok(parts.every((part) => part.text));
        assert.ok(
          text.endsWith(
            parts
              .map((part) => part.text)
              .join("")
              .replace("…", ""),
          ),
        );
      }
    }
  });
});
