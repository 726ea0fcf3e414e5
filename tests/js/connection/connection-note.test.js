import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ConnectionNote, refusal, waiting } from "../../../static/js/connection/connection-note.js";

describe("While the connection is lost", () => {
  test("a reader is told that nothing will be missing", () => {
    assert.equal(waiting({}), "Connection lost; reconnecting. Nothing will be missing.");
    assert.equal(waiting({ unsentMs: 499 }), waiting({}));
  });

  test("a sender is told how much of the recording is kept", () => {
    assert.match(waiting({ unsentMs: 1000 }), / 1 second of your recording is kept on this page /);
    assert.match(waiting({ unsentMs: 61_400 }), / 61 seconds of your recording are kept on this page /);
  });

  test("a sender is told how much found no room, also when the connection is there again", () => {
    const said = waiting({ unsentMs: 3_600_000, lostMs: 61_000 });
    assert.match(said, / 2 minutes of your recording found no room here\. They are missing\./);
    const place = /** @type {any} */ ({ hidden: true, textContent: "", classList: { toggle: () => {} } });
    new ConnectionNote(place).show("open", undefined, { lostMs: 61_000 });
    assert.deepEqual([place.hidden, place.textContent], [false, said]);
  });
});

describe("A refusal", () => {
  const codes = ["session_ended", "superseded", "recognition_failed", "unauthorized", "forbidden"];
  for (const code of codes) {
    test(`for ${code} is said in the reader's words`, () => {
      assert.notEqual(refusal({ code, message: "the server's words" }), "the server's words");
    });
  }

  test("of another kind is said in the server's words", () => {
    const fault = { code: "session_too_long", message: "the session has lasted 12 hours" };
    assert.equal(refusal(fault), "the session has lasted 12 hours");
  });
});
