// Waiting for a worker's verdict on a recording, to show it.

import { byId } from "../lib/dom.js";

const EVERY_MS = 700;

const page = byId("decide");

/** @param {string} url */
async function look(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    const answer = response.ok ? await response.json() : {};
    if (answer.is_judged || answer.has_failed || response.status === 404) {
      location.reload();
      return;
    }
  } catch {
    // The server may be restarting: ask again.
  }
  setTimeout(look, EVERY_MS, url);
}

if (!("isSettled" in page.dataset)) setTimeout(look, EVERY_MS, page.dataset.verdict ?? "");
