// The service worker: a page for when the server cannot be reached, and files that other applications share. Nothing else
// is kept: what people say stays with the server.

import { leaveFile } from "../lib/handoff.js";

// With the version of all static files in it: a new version keeps its page beside that of the old one.
const CACHE = import.meta.url;
const STATIC_FILES = /\b(?:href|src)="([^"]+\.(?:css|svg|js))"/g;

// TypeScript's library of service workers contradicts that of pages.
const worker = /** @type {any} */ (globalThis);
const scope = new URL(worker.registration.scope);
const offlinePage = new URL("offline/", scope).href;
const shareTarget = new URL("share", scope).href;

/** Keep the page and the files that it names; they are the same for everybody. Rejects where one cannot be had. */
async function keepOfflinePage() {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(offlinePage, { cache: "no-cache", credentials: "omit" }));
  const page = (await (await cache.match(offlinePage))?.text()) ?? "";
  await cache.addAll([...page.matchAll(STATIC_FILES)].map(([, path]) => new URL(path, scope).href));
}

async function removeOldCaches() {
  const old = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/**
 * Ask the server; where it cannot be reached, answer with what is kept.
 *
 * @param {Request} request
 * @param {string} kept address of what stands in
 */
async function fetchOr(request, kept) {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await caches.match(kept);
    if (!found) throw error;
    return found;
  }
}

/**
 * Leave a shared file for the recording page, and go there.
 *
 * @param {Request} request
 */
async function takeShared(request) {
  const file = (await request.formData()).get("file");
  if (file instanceof File) await leaveFile(file);
  return Response.redirect(new URL("record/?source=shared", scope).href, 303);
}

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  event.waitUntil(keepOfflinePage());
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(Promise.all([removeOldCaches(), worker.clients.claim()]));
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  /** @type {{request: Request}} */
  const { request } = event;
  const isRead = request.method === "GET";
  if (!isRead) {
    if (request.url === shareTarget) event.respondWith(takeShared(request));
  } else if (request.mode === "navigate") {
    event.respondWith(fetchOr(request, offlinePage));
  } else if (["style", "image", "script"].includes(request.destination)) {
    event.respondWith(fetchOr(request, request.url));
  }
});

// A notice of a meeting that has begun, clicked on.
worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(worker.clients.openWindow(event.notification.data.url));
});
