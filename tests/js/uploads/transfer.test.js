import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

/** @import { Clock } from "../support/page.js" */

import { RequestError } from "../../../static/js/lib/api.js";
import { CalledOff, metadata, Transfer } from "../../../static/js/uploads/transfer.js";
import { closePage, openPage, replace } from "../support/page.js";

const MEGABYTE = 1024 * 1024;

/** @type {Clock} */
let clock;
/** What the server has got. @type {number[]} */
let pieces;
/** What it does with the next requests, in the place of answering them. @type {(number | "away")[]} */
let troubles;
/** @type {string[]} */
let asked;
let received = 0;

/**
 * A server that speaks tus.
 *
 * @param {string} url
 * @param {{method: string, headers: Record<string, string>, body?: Blob}} options
 */
function server(url, { method, headers, body }) {
  asked.push(`${method} ${url}`);
  const trouble = troubles.shift();
  if (trouble === "away") return Promise.reject(new TypeError("away"));
  if (trouble) return Promise.resolve(Response.json({ error: "no" }, { status: trouble }));
  assert.equal(headers["Tus-Resumable"], "1.0.0");
  if (method === "POST") return answer(201, { Location: "/api/uploads/1" });
  if (method === "HEAD") return answer(200, { "Upload-Offset": String(received) });
  if (Number(headers["Upload-Offset"]) !== received) return answer(409, {});
  received += body?.size ?? 0;
  pieces.push(body?.size ?? 0);
  return answer(204, { "Upload-Offset": String(received) });
}

/**
 * @param {number} status
 * @param {Record<string, string>} headers
 */
const answer = (status, headers) => Promise.resolve(new Response(null, { status, headers }));

beforeEach(() => {
  clock = openPage();
  replace("fetch", server);
  Object.assign(document, { cookie: "" });
  [pieces, troubles, asked, received] = [[], [], [], 0];
});

afterEach(closePage);

/**
 * @param {number} size
 * @param {object} [parts]
 */
function transferOf(size, parts = {}) {
  const file = new File([new Uint8Array(size)], "周会.mp3", { lastModified: 5 });
  return new Transfer(file, { url: "/api/uploads/", ...parts });
}

/**
 * Let it run to its end, however long it waits in between.
 *
 * @param {Transfer} transfer
 */
async function run(transfer) {
  let isOver = false;
  const running = transfer.run().finally(() => (isOver = true));
  running.catch(() => {});
  for (let turn = 0; !isOver && turn < 2000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(100);
  }
  await running;
}

describe("a transfer", () => {
  test("sends a file piece by piece, every byte once", async () => {
    const transfer = transferOf(9 * MEGABYTE);
    await run(transfer);
    assert.deepEqual(pieces, [4 * MEGABYTE, 4 * MEGABYTE, MEGABYTE]);
    assert.equal(transfer.received, 9 * MEGABYTE);
  });

  test("goes on where the server has it, after it was away", async () => {
    troubles = [0, 0, "away", "away", 503];
    await run(transferOf(9 * MEGABYTE));
    assert.deepEqual(pieces, [4 * MEGABYTE, 4 * MEGABYTE, MEGABYTE]);
    assert.ok(asked.includes("HEAD /api/uploads/1"));
  });

  test("announces a file again of which the server has not heard", async () => {
    troubles = ["away", 502];
    await run(transferOf(10));
    assert.deepEqual(asked.slice(0, 3), ["POST /api/uploads/", "POST /api/uploads/", "POST /api/uploads/"]);
    assert.deepEqual(pieces, [10]);
  });

  test("tells while it waits", async () => {
    troubles = [0, "away"];
    /** @type {boolean[]} */
    const waits = [];
    /** @type {Transfer} */
    const transfer = transferOf(10, { onProgress: () => waits.push(transfer.isWaiting) });
    await run(transfer);
    assert.ok(waits.includes(true));
    assert.equal(transfer.isWaiting, false);
  });

  test("asks first where to go on with the rest of a file", async () => {
    received = 4 * MEGABYTE;
    await run(transferOf(5 * MEGABYTE, { address: "/api/uploads/1" }));
    assert.equal(asked[0], "HEAD /api/uploads/1");
    assert.deepEqual(pieces, [MEGABYTE]);
  });

  for (const status of [400, 403, 413, 507]) {
    test(`ends where it is refused (${status})`, async () => {
      troubles = [status];
      await assert.rejects(run(transferOf(10)), RequestError);
      assert.equal(asked.length, 1);
    });
  }

  test("ends where as many wait as may, and does not knock again", async () => {
    troubles = [429];
    await assert.rejects(run(transferOf(10)), RequestError);
    assert.equal(asked.length, 1);
  });

  test("sends nothing more once it was called off", async () => {
    /** @type {Transfer} */
    const transfer = transferOf(9 * MEGABYTE, { onProgress: () => transfer.callOff() });
    await assert.rejects(run(transfer), CalledOff);
    assert.deepEqual(pieces, [4 * MEGABYTE]);
  });
});

test("metadata carry any script, and no empty words", () => {
  assert.equal(metadata({ filename: "周会", title: "" }), "filename 5ZGo5Lya");
});
