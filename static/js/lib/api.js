// Requests to this server, with answers as JSON and errors as text for people.

import { gettext } from "./words.js";

export class RequestError extends Error {
  constructor(message, status, answer = {}) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

export async function getJson(url) {
  return answerOf(await request(url, {}));
}

export async function postJson(url, body) {
  return answerOf(
    await request(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
      body: JSON.stringify(body),
    }),
  );
}

export async function getBytes(url) {
  const response = await request(url, {});
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array();
}

async function request(url, { headers = {}, ...options }) {
  try {
    return await fetch(url, { headers: { Accept: "application/json", ...headers }, ...options });
  } catch {
    throw new RequestError(gettext("The server cannot be reached."), 0);
  }
}

async function answerOf(response) {
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    // A proxy's error page: the status says enough.
  }
  if (!response.ok) {
    throw new RequestError(answer.error ?? `${gettext("The server refused.")} (${response.status})`, response.status, answer);
  }
  return answer;
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

// Addresses below a session's page; a share link's token goes along.
export function sessionUrl(data, path, parameters = {}) {
  const url = new URL(`${data.sessionsUrl}${encodeURIComponent(data.key)}/${path}`, location.href);
  if (data.token) url.searchParams.set("token", data.token);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
