// The administrators' page of live sessions: asks every few seconds, and shows the answer.

import { byId, element, setText } from "../lib/dom.js";
import { fill, gettext, languageOf, ngettext } from "../lib/words.js";

const EVERY_MS = 3000;

/**
 * @typedef {object} LiveSession
 * @property {string} title
 * @property {string} url
 * @property {string} admin_url
 * @property {string} state_name
 * @property {string} owner
 * @property {string} length
 * @property {number} lines
 * @property {string} last_line
 * @property {number} failures
 */

const table = byId("live-sessions", HTMLTableElement);
const note = byId("live-note");

/** @param {LiveSession} session */
function row(session) {
  const failures = session.failures
    ? fill(ngettext("failed %(count)s time", "failed %(count)s times", session.failures), { count: session.failures })
    : "";
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { href: session.url }, session.title)),
    element("td", {}, [session.state_name, failures].filter(Boolean).join(", ")),
    element("td", {}, session.owner),
    element("td", {}, session.length),
    element("td", {}, String(session.lines)),
    element("td", { lang: languageOf(session.last_line) }, session.last_line),
    element("td", {}, element("a", { href: session.admin_url }, gettext("Details"))),
  );
}

async function show() {
  const response = await fetch(table.dataset.url ?? "", { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  /** @type {{sessions: LiveSession[], has_workers: boolean}} */
  const { sessions, has_workers: hasWorkers } = await response.json();
  table.tBodies[0].replaceChildren(...sessions.map(row));
  const count = fill(ngettext("%(count)s meeting is live.", "%(count)s meetings are live.", sessions.length), {
    count: sessions.length,
  });
  setText(
    note,
    hasWorkers ? count : `${count} ${gettext("No recognition worker is running: start one with manage.py recognize.")}`,
  );
}

async function watch() {
  try {
    await show();
  } catch {
    setText(note, gettext("The server does not answer. Trying again…"));
  }
  setTimeout(watch, EVERY_MS);
}

watch();
