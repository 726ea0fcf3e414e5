// Requests to this server, with answers as JSON and errors as text for people.

import { gettext } from "./words.js";

/** Refusal of a request, or no answer at all. The message is for people. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 where nothing answered
   * @param {Record<string, any>} [answer]
   */
  constructor(message, status, answer = {}) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

/**
 * Ask for JSON. Throws RequestError.
 *
 * @param {string} url
 * @returns {Promise<any>}
 */
export async function getJson(url) {
  return readAnswer(await request(url, {}));
}

/**
 * Send JSON and ask for JSON. Throws RequestError.
 *
 * @param {string} url
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export async function postJson(url, body) {
  return readAnswer(
    await request(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
      body: JSON.stringify(body),
    }),
  );
}

/**
 * Ask for a page, or a piece of one. Throws RequestError, also where the login is over: then another page answers.
 *
 * @param {string} url
 */
export async function getHtml(url) {
  const response = await request(url, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) throw refused(response);
  return response.text();
}

/**
 * Ask for bytes; none where they are refused, or nobody answers.
 *
 * @param {string} url
 */
export async function getBytes(url) {
  try {
    const response = await request(url, {});
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return new Uint8Array();
  }
}

/**
 * Send something to be changed, and return the response, whatever it says. Throws RequestError where nothing answers.
 *
 * @param {string} url
 * @param {{method: string, headers?: Record<string, string>, body?: Blob}} options
 */
export async function send(url, { headers = {}, ...options }) {
  return request(url, { headers: { "X-CSRFToken": cookie("csrftoken"), ...headers }, ...options });
}

/**
 * Return why a response is none, for people.
 *
 * @param {Response} response
 */
export async function refusal(response) {
  try {
    await readAnswer(response);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  return refused(response);
}

/**
 * @param {string} url
 * @param {{method?: string, headers?: Record<string, string>, body?: string | Blob}} options
 */
async function request(url, { headers = {}, ...options }) {
  try {
    return await fetch(url, { headers: { Accept: "application/json", ...headers }, ...options });
  } catch {
    throw new RequestError(gettext("The server cannot be reached."), 0);
  }
}

/**
 * @param {Response} response
 * @returns {Promise<any>}
 */
async function readAnswer(response) {
  /** @type {Record<string, any>} */
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    // A proxy's error page: the status says enough.
  }
  if (!response.ok) throw refused(response, answer);
  return answer;
}

/**
 * @param {Response} response
 * @param {Record<string, any>} [answer]
 */
function refused({ status }, answer = {}) {
  return new RequestError(answer.error ?? `${gettext("The server refused the request.")} (${status})`, status, answer);
}

/** @param {string} name */
function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

/**
 * Return an address below a session's page; a share link's token goes along.
 *
 * @param {{sessionsUrl: string, key: string, token: string}} session
 * @param {string} path
 * @param {Record<string, string | number>} [parameters]
 */
export function sessionUrl({ sessionsUrl, key, token }, path, parameters = {}) {
  const url = new URL(`${sessionsUrl}${encodeURIComponent(key)}/${path}`, location.href);
  if (token) url.searchParams.set("token", token);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
  return url.href;
}
