import assert from "node:assert/strict";
import { test } from "node:test";

import { localeOf } from "../../../static/js/lib/locale.js";

test("English dates have the day before the month, others are as their language has them", () => {
  const day = new Date(2026, 10, 30);
  assert.equal(day.toLocaleDateString(localeOf("en"), { dateStyle: "medium" }), "30 Nov 2026");
  assert.equal(day.toLocaleDateString(localeOf("zh-hans"), { dateStyle: "medium" }), "2026年11月30日");
});
