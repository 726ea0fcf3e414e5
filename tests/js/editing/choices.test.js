import assert from "node:assert/strict";
import { describe, test } from "node:test";

/** @import { Line } from "../../../static/js/connection/messages.js" */
/** @import { Person } from "../../../static/js/editing/choices.js" */

import { choicesFor, scopeOf } from "../../../static/js/editing/choices.js";
import { ANNA, BORIS, line, speaker, stranger } from "../support/lines.js";

/**
 * Ask who can be chosen for a line of the first stranger.
 *
 * @param {{typed?: string, lines?: Line[], known?: Person[], mayAdd?: boolean, speakerId?: string}} [question]
 */
function choices(question = {}) {
  const lines = [
    line(1, { spk: stranger(1) }),
    line(2, { spk: ANNA }),
    line(3, { spk: stranger(2) }),
    line(4, { spk: ANNA }),
  ];
  return choicesFor({ typed: "", speakerId: stranger(1).speaker_id, lines, known: [], mayAdd: true, ...question });
}

const CARLA = { speaker_id: "carla", name: "Carla" };

describe("Those who can be chosen", () => {
  test("are the others of the session, each once, in the order in which they came", () => {
    assert.deepEqual(choices().here, [ANNA, stranger(2)]);
  });

  test("are of those the ones whose name holds what was typed", () => {
    assert.deepEqual(choices({ typed: "NN" }).here, [ANNA]);
    assert.deepEqual(choices({ typed: "speaker 2" }).here, [stranger(2)]);
    assert.deepEqual(choices({ typed: " anna " }).here, [ANNA]);
  });

  test("are then the known who do not speak here", () => {
    const known = [
      CARLA,
      { speaker_id: "anna", name: "Anna" },
      { speaker_id: stranger(1).speaker_id, name: "herself" },
    ];
    assert.deepEqual(choices({ known }).elsewhere, [CARLA]);
    assert.deepEqual(choices({ known, typed: "x" }).elsewhere, []);
  });

  test("do not hold lines of nobody in particular", () => {
    const nobody = { ...ANNA, speaker_id: "" };
    assert.deepEqual(choices({ lines: [line(1, { spk: nobody })] }).here, []);
  });
});

describe("Somebody new", () => {
  test("can be added under a name that nobody has", () => {
    assert.equal(choices({ typed: "  李芳 " }).fresh, "李芳");
    assert.equal(choices({ typed: "ann" }).fresh, "ann");
  });

  test("cannot be added under a name that can be chosen", () => {
    assert.equal(choices({ typed: "Anna" }).fresh, "");
    assert.equal(choices({ typed: "Carla", known: [CARLA] }).fresh, "");
  });

  test("cannot be added without the right, nor without a name", () => {
    assert.equal(choices({ typed: "李芳", mayAdd: false }).fresh, "");
    assert.equal(choices({ typed: "  " }).fresh, "");
  });
});

test("Somebody unknown can be chosen as long as no name is typed", () => {
  assert.equal(choices().stranger, true);
  assert.equal(choices({ typed: " " }).stranger, true);
  assert.equal(choices({ typed: "a" }).stranger, false);
});

describe("A name", () => {
  const lines = [
    line(1, { spk: stranger(1) }),
    line(2, { spk: stranger(1) }),
    line(3, { spk: ANNA }),
    line(4, { spk: ANNA }),
    line(5, { spk: BORIS }),
    line(6, { spk: stranger(2) }),
  ];

  test("goes to all lines of a stranger unless something else is said", () => {
    assert.deepEqual(scopeOf(stranger(1), lines), { count: 2, isChoice: true, isAll: true });
  });

  test("goes to one line of somebody known, whose name was wrong there", () => {
    assert.deepEqual(scopeOf(ANNA, lines), { count: 2, isChoice: true, isAll: false });
  });

  test("leaves no choice where there is one line", () => {
    assert.deepEqual(scopeOf(BORIS, lines), { count: 1, isChoice: false, isAll: false });
    assert.deepEqual(scopeOf(stranger(2), lines), { count: 1, isChoice: false, isAll: false });
  });

  test("goes to one line of nobody in particular, who are not one voice", () => {
    const nobody = speaker("", "");
    const unknown = [line(1, { spk: nobody }), line(2, { spk: nobody })];
    assert.equal(scopeOf(nobody, unknown).isChoice, false);
  });
});
