import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { VoiceColours } from "../../../static/js/transcript/voices.js";
import { between, randomSource } from "../support/random.js";

describe("The colour of a voice", () => {
  test("is counted from one in the order in which the voices came", () => {
    const colours = new VoiceColours(["a", "b", "c"]);
    assert.deepEqual(
      ["c", "a", "b"].map((id) => colours.of(id)),
      [3, 1, 2],
    );
  });

  test("is the next one for a voice that is heard first", () => {
    const colours = new VoiceColours(["a"]);
    assert.deepEqual([colours.of("b"), colours.of("c"), colours.of("b")], [2, 3, 2]);
  });

  test("is none for nobody in particular, who takes none from the others", () => {
    const colours = new VoiceColours();
    assert.deepEqual([colours.of(""), colours.of("a"), colours.of(""), colours.of("b")], [0, 1, 0, 2]);
  });

  test("comes again after ten", () => {
    const colours = new VoiceColours(Array.from({ length: 23 }, (_, at) => `voice ${at}`));
    assert.deepEqual(
      [9, 10, 19, 20, 22].map((at) => colours.of(`voice ${at}`)),
      [10, 1, 10, 1, 3],
    );
  });

  test("is skipped where a voice turned out to be another's, as on a page that saw it happen", () => {
    const colours = new VoiceColours(["a", "b", "a", "d"]); // the third voice is a
    assert.deepEqual(
      ["a", "b", "d"].map((id) => colours.of(id)),
      [1, 2, 4],
    );
  });
});

describe("A new name", () => {
  test("keeps the colour of its voice", () => {
    const colours = new VoiceColours(["stranger", "b"]);
    colours.rename("stranger", "anna");
    assert.equal(colours.of("anna"), 1);
  });

  test("of somebody who has a colour already changes nothing", () => {
    const colours = new VoiceColours(["a", "b"]);
    colours.rename("a", "b");
    assert.deepEqual([colours.of("a"), colours.of("b")], [1, 2]);
  });

  test("of nobody, for nobody or of a voice that was never heard is none", () => {
    const colours = new VoiceColours(["a"]);
    colours.rename("", "x");
    colours.rename("a", "");
    colours.rename("never", "y");
    assert.deepEqual([colours.of("x"), colours.of("y")], [2, 3]);
  });

  test("stays where the old name speaks no more", () => {
    const colours = new VoiceColours(["stranger"]);
    colours.rename("stranger", "anna");
    assert.deepEqual(colours.separate(new Set(["anna"])), []);
    assert.equal(colours.of("anna"), 1);
  });

  test("of one line only, while the voice still speaks under the old, is a voice of its own", () => {
    const colours = new VoiceColours(["stranger", "b"]);
    colours.rename("stranger", "anna");
    assert.deepEqual(colours.separate(new Set(["stranger", "anna", "b"])), ["anna"]);
    assert.deepEqual(
      ["stranger", "b", "anna"].map((id) => colours.of(id)),
      [1, 2, 3],
    );
  });

  test("is settled once: what comes later does not take it back", () => {
    const colours = new VoiceColours(["stranger"]);
    colours.rename("stranger", "anna");
    colours.separate(new Set(["anna"]));
    assert.deepEqual(colours.separate(new Set(["stranger", "anna"])), []);
    assert.equal(colours.of("anna"), 1);
  });
});

test("Colours depend on the order of voices only, whatever is asked first", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = randomSource(seed);
    const voices = Array.from({ length: between(random, 1, 30) }, (_, at) => `voice ${at}`);
    const colours = new VoiceColours(voices);
    const asked = [...voices].sort(() => random() - 0.5);
    for (const id of asked) assert.equal(colours.of(id), (voices.indexOf(id) % 10) + 1);
  }
});
