import assert from "node:assert/strict";
import { test } from "node:test";

import { ofNumbers, ofRules, placeOfChange, takenBack } from "../../../static/js/transcript/changes.js";

/**
 * @param {string} asr
 * @param {import("../../../static/js/connection/messages.js").Change[]} changes
 */
function line(asr, changes) {
  const spk = { speaker_id: "", speaker_name: "", score: null, enrolled: false };
  return { id: 1, seq: 1, asr, spk, start_ms: 0, end_ms: 1, edited: false, overlaps: [], changes };
}

const NUMBER = { begin: 3, stop: 6, heard: "百分之八十", by_rule: false };
const NAME = { begin: 7, stop: 9, heard: "汪磊", by_rule: true };
const LINE = line("完成了80%，王磊说。", [NUMBER, NAME]);

test("a line reads as it was heard when its changes are taken back", () => {
  assert.equal(takenBack(LINE, LINE.changes), "完成了百分之八十，汪磊说。");
});

test("one kind of change can be taken back alone", () => {
  assert.equal(takenBack(LINE, ofRules(LINE)), "完成了80%，汪磊说。");
  assert.equal(takenBack(LINE, ofNumbers(LINE)), "完成了百分之八十，王磊说。");
});

test("characters are counted as people do", () => {
  const strange = line("𠮷😀80%", [{ ...NUMBER, begin: 2, stop: 5 }]);
  const [begin, stop] = placeOfChange(strange, strange.changes[0]);
  assert.equal(strange.asr.slice(begin, stop), "80%");
  assert.equal(takenBack(strange, strange.changes), "𠮷😀百分之八十");
});
