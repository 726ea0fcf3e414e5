// The right to go on recording after a page was reloaded, kept as long as its window.

/** @param {string} key */
const storageKey = (key) => `sender:${key}`;

/**
 * @param {string} key of the session
 * @param {string} resume
 */
export function rememberSender(key, resume) {
  sessionStorage.setItem(storageKey(key), resume);
}

/**
 * Return the right that was remembered; "" if there is none.
 *
 * @param {string} key of the session
 */
export function rememberedSender(key) {
  return sessionStorage.getItem(storageKey(key)) ?? "";
}

/**
 * Return the number of a new connection: it grows, also when the page was reloaded, so that the server knows one that
 * was on its way for long from one that took its place.
 */
export function nextAttempt() {
  const attempt = Number(sessionStorage.getItem("attempt")) + 1;
  sessionStorage.setItem("attempt", String(attempt));
  return attempt;
}

/** @param {string} key of the session */
export function forgetSender(key) {
  sessionStorage.removeItem(storageKey(key));
}
