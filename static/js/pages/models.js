// How far downloads of models are; and a question before files are deleted.

import { getJson } from "../lib/api.js";
import { byId, descendant } from "../lib/dom.js";

const EVERY_MS = 1000;

/** @typedef {{state: string, done: number, total: number}} Told */

const page = byId("models");
const pulls = /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll(".pull"));

/**
 * Return whether the page must be drawn anew: a download has begun, ended or failed.
 *
 * @param {HTMLElement} pull
 * @param {Told | undefined} told
 */
function show(pull, told) {
  if (told?.state !== pull.dataset.state) return true;
  if (told?.state !== "running" || !told.total) return false;
  const bar = descendant(pull, "progress", HTMLProgressElement);
  bar.max = told.total;
  bar.value = told.done;
  const [done, total] = [told.done, told.total].map((kilobytes) => Math.round(kilobytes / 1000));
  descendant(pull, ".amount").textContent = `${done} / ${total} MB`;
  return false;
}

async function look() {
  try {
    const told = /** @type {Record<string, Told>} */ (await getJson(page.dataset.progress ?? ""));
    if ([...pulls].some((pull) => show(pull, told[pull.dataset.set ?? ""]))) {
      location.reload();
      return;
    }
  } catch {
    // The server may be restarting: ask again.
  }
  setTimeout(look, EVERY_MS);
}

page.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement && event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

if (pulls.length) setTimeout(look, EVERY_MS);
