import assert from "node:assert/strict";
import { test } from "node:test";

import { oneLine } from "../../../static/js/editing/requests.js";

for (const [written, kept] of [
  ["大家好。", "大家好。"],
  ["  two  words ", "two words"],
  ["one\nline\r\n", "one line"],
  ["tab\tand\u3000wide\u00a0blank", "tab and wide blank"],
  ["", ""],
  [" \n ", ""],
]) {
  test(`${JSON.stringify(written)} is kept as ${JSON.stringify(kept)}`, () => {
    assert.equal(oneLine(written), kept);
    assert.equal(oneLine(oneLine(written)), kept);
  });
}
