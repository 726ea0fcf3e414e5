// Dates and times in the page's language and the reader's own time zone, whatever the server knows of that.

import { localeOf } from "./locale.js";

const locale = () => localeOf(document.documentElement.lang);

/**
 * Return a moment as a day and a time.
 *
 * @param {string} iso
 */
export function momentText(iso) {
  return new Date(iso).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}

/**
 * Return the day of a moment.
 *
 * @param {string} iso
 */
export function dayText(iso) {
  return new Date(iso).toLocaleDateString(locale(), { dateStyle: "medium" });
}

/**
 * Return the time of day of a moment, on a clock of 24 hours.
 *
 * @param {string} iso
 */
export function timeText(iso) {
  return new Date(iso).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/**
 * Tell whether a moment is written in the zone that the reader's clock has then.
 *
 * @param {string} iso with its offset from UTC
 */
export function isInOwnZone(iso) {
  const offset = /([+-])(\d\d):(\d\d)$/.exec(iso);
  const minutes = offset ? Number(`${offset[1]}1`) * (60 * Number(offset[2]) + Number(offset[3])) : 0;
  return minutes === -new Date(iso).getTimezoneOffset();
}

/**
 * Write moments anew that the server wrote in another zone than the reader's: it learns that with the first page.
 *
 * @param {ParentNode} root
 */
export function showOwnZone(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const iso = time.getAttribute("datetime") ?? "";
    if (!iso.includes("T") || isInOwnZone(iso)) continue;
    time.textContent = time.classList.contains("of-day") ? timeText(iso) : momentText(iso);
  }
}
