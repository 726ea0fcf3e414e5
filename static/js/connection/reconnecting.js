// Decisions after a lost connection: whether to come back, and when. Pure.

/** @import { Fault } from "./messages.js" */

const BACKOFF_MS = [300, 1000, 2000, 4000, 8000];
const JITTER = 0.3;
const NORMAL_CLOSURE = 1000;

/**
 * Return what becomes of a socket that was closed.
 *
 * @param {number} code
 * @param {Fault | null} fault said before
 * @returns {"done" | "refused" | "retry"}
 */
export function afterClose(code, fault) {
  if (code === NORMAL_CLOSURE) return "done";
  if (fault?.code === "session_too_long") return "retry"; // who comes back is told up to where it was kept
  return fault?.close && !fault.retryable ? "refused" : "retry";
}

/**
 * Return how long to wait before another attempt: longer each time, never shorter than the server asks for, and
 * with some chance in it, so that not all pages come back at the same moment.
 *
 * @param {number} attempts that have failed since the last success
 * @param {Fault | null} fault
 * @param {number} chance from 0 to 1
 */
export function retryDelayMs(attempts, fault, chance) {
  const asked = (fault?.retry_after ?? 0) * 1000;
  const backoff = BACKOFF_MS[Math.min(attempts, BACKOFF_MS.length - 1)];
  return Math.max(asked, backoff * (1 + JITTER * chance));
}
