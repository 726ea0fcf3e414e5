// When to ask again for what is running, and what an answer changes. Pure.

/** @typedef {{hasCards: boolean, failures: number, isHidden: boolean, isAwaited?: boolean}} Situation */

const BUSY_MS = 2500;
const QUIET_MS = 6000;
const AWAITED_MS = 20_000;
const MAX_MS = 60_000;

/**
 * Return how long to wait before asking again; null while nobody looks, unless notices are awaited.
 *
 * @param {Situation} situation
 */
export function waitMs({ hasCards, failures, isHidden, isAwaited = false }) {
  if (isHidden && !isAwaited) return null;
  if (failures) return Math.min(MAX_MS, QUIET_MS * 2 ** (failures - 1));
  if (isHidden) return AWAITED_MS;
  return hasCards ? BUSY_MS : QUIET_MS;
}

/**
 * Return which of the meetings that were running are so no more: they are in the list from now on.
 *
 * @param {Iterable<string>} before keys
 * @param {Iterable<string>} now
 */
export function ended(before, now) {
  const running = new Set(now);
  return [...before].filter((key) => !running.has(key));
}
