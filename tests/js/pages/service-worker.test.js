import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closePage, replace } from "../support/page.js";

const SCOPE = "https://asr.example/";
const OFFLINE = `${SCOPE}offline/`;
const STYLE = `${SCOPE}static/base.css`;
const PAGE = '<link rel="stylesheet" href="/static/base.css">';

/** What the server answers, by address; nothing is there without it. @type {Map<string, string>} */
const served = new Map();

/** @param {string | Request} asked */
const addressOf = (asked) => (asked instanceof Request ? asked.url : asked);

/** A browser's cache of answers. */
class Cache {
  /** @type {Map<string, string>} */
  kept = new Map();

  /** @param {string | Request} asked */
  async add(asked) {
    await this.addAll([asked]);
  }

  /** @param {(string | Request)[]} asked */
  async addAll(asked) {
    const found = asked.map((each) => /** @type {const} */ ([addressOf(each), served.get(addressOf(each))]));
    for (const [, content] of found) if (content === undefined) throw new TypeError("not ok");
    for (const [address, content] of found) this.kept.set(address, content ?? "");
  }

  /** @param {string} address */
  async match(address) {
    const content = this.kept.get(address);
    return content === undefined ? undefined : new Response(content);
  }
}

/** @type {Map<string, Cache>} */
const kept = new Map();

const caches = {
  async keys() {
    return [...kept.keys()];
  },
  /** @param {string} name */
  async open(name) {
    const cache = kept.get(name) ?? new Cache();
    kept.set(name, cache);
    return cache;
  },
  /** @param {string} name */
  async delete(name) {
    return kept.delete(name);
  },
  /** @param {string} address */
  async match(address) {
    for (const cache of kept.values()) if (cache.kept.has(address)) return cache.match(address);
    return undefined;
  },
};

/** @type {EventTarget} */
let worker = new EventTarget();

/**
 * Start the worker of a version.
 *
 * @param {string} version
 */
async function start(version) {
  worker = new EventTarget();
  replace("addEventListener", worker.addEventListener.bind(worker));
  await import(`../../../static/js/pages/service-worker.js?${version}`);
}

/**
 * Let the worker do what it does at an event.
 *
 * @param {string} name
 */
async function happen(name) {
  /** @type {Promise<unknown>[]} */
  const work = [];
  const waitUntil = (/** @type {Promise<unknown>} */ promise) => work.push(promise);
  worker.dispatchEvent(Object.assign(new Event(name), { waitUntil }));
  await Promise.all(work);
}

async function navigate() {
  /** @type {Promise<Response> | undefined} */
  let answer;
  const respondWith = (/** @type {Promise<Response>} */ promise) => (answer = promise);
  const request = { method: "GET", mode: "navigate", url: `${SCOPE}record/` };
  worker.dispatchEvent(Object.assign(new Event("fetch"), { request, respondWith }));
  return (await answer)?.text();
}

replace("registration", { scope: SCOPE });
replace("caches", caches);
replace("skipWaiting", () => {});
replace("clients", { claim: async () => {} });
replace("fetch", () => Promise.reject(new TypeError("no network")));
after(closePage);

test("a new version that cannot be had leaves the page of the one before, and replaces it when it can", async () => {
  served.set(OFFLINE, `1 ${PAGE}`).set(STYLE, "p {}");
  await start("one");
  await happen("install");
  await happen("activate");
  assert.equal(await navigate(), `1 ${PAGE}`);

  await start("two");
  served.set(OFFLINE, `2 ${PAGE}`).delete(STYLE);
  await assert.rejects(happen("install"));
  assert.equal(await navigate(), `1 ${PAGE}`);
  assert.equal(await (await caches.match(STYLE))?.text(), "p {}");

  served.set(STYLE, "p { color: red }");
  await happen("install");
  await happen("activate");
  assert.equal(await navigate(), `2 ${PAGE}`);
  assert.equal(await (await caches.match(STYLE))?.text(), "p { color: red }");
  assert.equal(kept.size, 1);
});
