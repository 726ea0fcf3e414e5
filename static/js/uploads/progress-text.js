// What is told of a file on its way, in words and as a share of the whole.

import { clock } from "../lib/clock.js";
import { fill, gettext, ngettext } from "../lib/words.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @typedef {object} Upload a file as the server tells of it
 * @property {string} id
 * @property {string} name
 * @property {"receiving" | "waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} size
 * @property {number} received
 * @property {number} before files that are transcribed before it
 * @property {number} duration_ms
 * @property {number} done_ms
 * @property {string | null} session
 * @property {string | null} url of its meeting
 * @property {string} error
 * @property {string | null} finished_at
 */

/** @typedef {"" | "sending" | "queued" | "offline"} Sending by this page */

/**
 * Return how much of a file is done, from 0 to 1; null while that is not known, or of no interest.
 *
 * @param {Upload} upload
 */
export function share({ state, size, received, duration_ms: duration, done_ms: done }) {
  if (state === "receiving") return size ? received / size : 0;
  if (state === "running") return duration ? Math.min(1, done / duration) : null;
  return state === "waiting" ? 0 : null;
}

/** @param {Upload} upload */
export function isOver({ state }) {
  return ["done", "failed", "cancelled"].includes(state);
}

/**
 * Return whether a file is worth a row: what is done is so for a day, what was called off never.
 *
 * @param {Upload} upload
 * @param {number} now in milliseconds
 */
export function isNews({ state, finished_at: finishedAt }, now) {
  if (state === "done" && finishedAt) return now - Date.parse(finishedAt) < DAY_MS;
  return state !== "cancelled";
}

/**
 * Return what is going on with a file.
 *
 * @param {Upload} upload
 * @param {Sending} sending
 */
export function stateText(upload, sending) {
  switch (upload.state) {
    case "receiving":
      return sendingText(upload, sending);
    case "waiting":
      if (!upload.before) return gettext("Waiting to be transcribed");
      return fill(ngettext("Waiting: %(count)s file before it", "Waiting: %(count)s files before it", upload.before), {
        count: upload.before,
      });
    case "running":
      return upload.duration_ms
        ? `${gettext("Transcribing")} · ${clock(upload.done_ms)} / ${clock(upload.duration_ms)}`
        : `${gettext("Transcribing")} · ${clock(upload.done_ms)}`;
    case "done":
      return gettext("Transcribed");
    case "failed":
      return upload.error;
    case "cancelled":
      return gettext("Cancelled");
  }
}

/**
 * @param {Upload} upload
 * @param {Sending} sending
 */
function sendingText({ size, received }, sending) {
  const percent = `${Math.floor((100 * received) / Math.max(1, size))}%`;
  switch (sending) {
    case "sending":
      return fill(gettext("Sending · %(percent)s"), { percent });
    case "queued":
      return gettext("Will be sent next");
    case "offline":
      return fill(gettext("The server cannot be reached; it goes on at %(percent)s"), { percent });
    default:
      return fill(gettext("Broken off at %(percent)s: choose the same file again to go on"), { percent });
  }
}
