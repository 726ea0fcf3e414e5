import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { onDemand } from "../../../static/js/lib/on-demand.js";

describe("A part of a page that few ask for", () => {
  /** @type {Error | null} */
  let fault;
  let loads = 0;
  let failures = 0;
  /** @type {{uses: number}[]} */
  let made = [];
  /** @type {ReturnType<typeof onDemand<{Part: string}, {uses: number}>>} */
  let part;

  beforeEach(() => {
    [fault, loads, failures, made] = [null, 0, 0, []];
    part = onDemand(
      async () => {
        loads += 1;
        if (fault) throw fault;
        return { Part: "module" };
      },
      () => made[made.push({ uses: 0 }) - 1],
      () => (failures += 1),
    );
  });

  const use = () => part((each) => (each.uses += 1));

  test("is fetched by nobody before it is used", () => assert.equal(loads, 0));

  test("is fetched and made once, also by two who are quick", async () => {
    await Promise.all([use(), use()]);
    await use();
    assert.deepEqual([loads, made], [1, [{ uses: 3 }]]);
  });

  test("is asked for again after an outage, of which the reader is told", async () => {
    fault = new TypeError("Failed to fetch dynamically imported module");
    await use();
    assert.deepEqual([failures, made], [1, []]);
    fault = null;
    await use();
    assert.deepEqual([failures, loads, made], [1, 2, [{ uses: 1 }]]);
  });

  test("hides no fault of its own", async () => {
    fault = new SyntaxError("unexpected token");
    await assert.rejects(use(), SyntaxError);
    const wrong = () => {
      throw new TypeError("part.open is not a function");
    };
    fault = null;
    await assert.rejects(part(wrong), /not a function/);
    assert.equal(failures, 0);
  });
});
