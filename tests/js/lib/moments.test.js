import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { dayText, isInOwnZone, momentText, showOwnZone } from "../../../static/js/lib/moments.js";
import { closePage, replace } from "../support/page.js";

const zone = process.env.TZ;

before(() => {
  process.env.TZ = "America/New_York";
});
after(() => {
  closePage();
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** @param {string} lang */
const open = (lang) => replace("document", { documentElement: { lang } });

describe("A moment", () => {
  test("reads in the page's language, by the reader's clock", () => {
    open("en");
    assert.equal(momentText("2026-11-30T01:03:52+08:00").replace(/\s/g, " "), "29 Nov 2026, 12:03");
    open("zh-hans");
    assert.match(momentText("2026-11-30T01:03:52+08:00"), /^2026年11月29日 12:03$/);
    assert.equal(dayText("2026-12-07T01:03:52+08:00"), "2026年12月6日");
  });

  test("is in the reader's zone if it is at the same distance from UTC then", () => {
    assert.equal(isInOwnZone("2026-11-30T01:03:52+08:00"), false);
    assert.equal(isInOwnZone("2026-11-29T12:03:52-05:00"), true);
    assert.equal(isInOwnZone("2026-07-01T12:00:00-04:00"), true, "in summer too");
    assert.equal(isInOwnZone("2026-07-01T16:00:00Z"), false);
  });
});

test("Moments of another zone are written anew, the others stay as the server wrote them", () => {
  open("en");
  const times = [
    { iso: "2026-11-30T01:03:52+08:00", textContent: "30 Nov 2026, 01:03 CST" },
    { iso: "2026-11-29T12:03:52-05:00", textContent: "29 Nov 2026, 12:03" },
    { iso: "2026-11-30", textContent: "Today" },
    { iso: "2026-11-30T01:03:52+08:00", textContent: "01:03", isOfDay: true },
  ].map((time) => ({ ...time, getAttribute: () => time.iso, classList: { contains: () => time.isOfDay ?? false } }));
  showOwnZone(/** @type {any} */ ({ querySelectorAll: () => times }));
  const texts = times.map(({ textContent }) => textContent.replace(/\s/g, " "));
  assert.deepEqual(texts, ["29 Nov 2026, 12:03", "29 Nov 2026, 12:03", "Today", "12:03"]);
});
