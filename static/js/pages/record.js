// A new session, from the microphone or a file: one button, and this page becomes that session's page.

/** @import { PageData } from "../connection/messages.js" */

import { ConnectionNote } from "../connection/connection-note.js";
import { sessionUrl } from "../lib/api.js";
import { byId, descendant, findById, pageData, setWindowTitle } from "../lib/dom.js";
import { takeFile } from "../lib/handoff.js";
import { momentText } from "../lib/moments.js";
import { ExpectedSpeakers } from "../recording/expected-speakers.js";
import { canShareSound, SharingError } from "../recording/computer-sound.js";
import { FileError } from "../recording/file-audio.js";
import { fillMicrophones, MicrophoneError, whyImpossible } from "../recording/microphone.js";
import { Recorder } from "../recording/recorder.js";
import { SessionView } from "../transcript/session-view.js";
import { UploadsPanel } from "../uploads/uploads-panel.js";

const MAX_TITLE = 200;
const REFUSALS = [FileError, MicrophoneError, SharingError];

/** @type {PageData & {continues: string, models: string}} */
const data = pageData();
const form = byId("setup-form", HTMLFormElement);
const impossible = byId("impossible");
const startButton = byId("start", HTMLButtonElement);
const keyField = descendant(form, "[name=key]", HTMLInputElement);
const titleField = descendant(form, "[name=title]", HTMLInputElement);
const fileField = descendant(form, "[name=file]", HTMLInputElement);
const paceField = descendant(form, "[name=pace]", HTMLSelectElement);
const modelsField = form.querySelector("[name=models]"); // only where there is a choice
const itnField = form.querySelector("[name=itn]"); // not where a meeting goes on
const scriptField = form.querySelector("[name=script]"); // not where a meeting goes on
const languageField = form.querySelector("[name=language]"); // only where models know several
const translateField = form.querySelector("[name=translate]"); // only where there is a language model
const chosen = (/** @type {Element | null} */ field) => (field instanceof HTMLSelectElement ? field.value : "");
const hotwordsField = form.querySelector("[name=hotwords]"); // not where a meeting goes on
const hotwords = () => (hotwordsField instanceof HTMLInputElement ? hotwordsField.value.trim() : "");
const expectedPlace = findById("expected"); // only where people are known
const expected = expectedPlace && new ExpectedSpeakers(expectedPlace);
const expectedIds = () => expected?.ids ?? [];
const computerField = descendant(form, "[name=computer]", HTMLInputElement);
const microphoneField = descendant(form, ".microphones", HTMLSelectElement);

// The form does without them.
const loadTools = () => import("../session/session-tools.js");

/** Names of files that this page has sent alone: it goes on to such a meeting when that begins. @type {Set<string>} */
const followed = new Set();
const uploads = new UploadsPanel(byId("uploads"), {
  onBegun: ({ name, url }) => followed.delete(name) && uploads.transfers.length === 0 && url && location.assign(url),
});

/** @param {string} reason empty if there is none */
function refuse(reason) {
  impossible.textContent = reason;
  impossible.hidden = !reason;
}

const isOfFile = () => new FormData(form).get("source") === "file";

/** Show what the form asks for, and whether it can be had. */
async function showSource() {
  const ofFile = isOfFile();
  /** @type {NodeListOf<HTMLElement>} */
  const parts = form.querySelectorAll("[data-source]");
  for (const part of parts) part.hidden = (part.dataset.source === "file") !== ofFile;
  byId("setup-computer").hidden = ofFile || !canShareSound();
  showPace();
  fileField.required = ofFile;
  refuse(ofFile ? "" : whyImpossible());
  startButton.disabled = !impossible.hidden;
  if (ofFile || !impossible.hidden) return;
  byId("setup-device").hidden = !(await fillMicrophones(microphoneField)) || isOfFile();
}

/** What is read by this browser is one file, and ends with this page. */
function showPace() {
  const isReal = paceField.value === "real";
  fileField.multiple = !isReal;
  byId("fast-hint").hidden = isReal;
  byId("real-hint").hidden = !isReal;
}

/** Show the languages among which the chosen models can be told; none where they know one. */
function showLanguages() {
  if (!(languageField instanceof HTMLSelectElement)) return;
  const models = chosen(modelsField) || data.models;
  const known = [...languageField.options].filter(({ dataset }) => dataset.models);
  for (const option of known) {
    option.disabled = !option.dataset.models?.split(" ").includes(models ?? "");
    option.hidden = option.disabled;
  }
  if (languageField.selectedOptions[0]?.disabled) languageField.value = "";
  byId("setup-language").hidden = known.every((option) => option.disabled);
}

/** What the form asks for. */
function wishes() {
  const models = { models: chosen(modelsField), script: chosen(scriptField), language: chosen(languageField) };
  const itn = itnField instanceof HTMLInputElement ? Number(itnField.checked).toString() : "";
  return { ...models, itn, hotwords: hotwords(), translate: chosen(translateField) };
}

/** @param {File[]} files */
async function upload(files) {
  const asked = { ...wishes(), expected: expectedIds().join(","), continues: data.continues };
  const isOne = files.length === 1;
  const ownKey = keyField.value.trim() === keyField.defaultValue ? "" : keyField.value.trim();
  if (isOne) for (const { name } of files) followed.add(name);
  fileField.value = "";
  await uploads.add(files, isOne ? { ...asked, title: titleField.value.trim(), key: ownKey } : asked);
  byId("uploads-title").focus();
}

async function start() {
  const files = isOfFile() ? [...(fileField.files ?? [])] : [];
  if (files.length && paceField.value !== "real") await upload(files);
  else await record(files[0] ?? null);
}

/** @param {File | null} file in the place of the microphone */
async function record(file) {
  const key = keyField.value.trim();
  const title = titleField.value.trim() || (file ? nameOf(file) : "");
  refuse("");
  startButton.disabled = true;
  const { setUpTools } = await loadTools();
  const view = new SessionView({ state: "live" });
  const note = new ConnectionNote(byId("connection"));
  const { token, continues } = data;
  const asked = { ...wishes(), expected: expectedIds() };
  const recorder = new Recorder({ data, key, title, ...asked, token, continues, view, note });
  try {
    if (file) await recorder.startFile(file, { isInRealTime: paceField.value === "real" });
    else await recorder.start(microphoneField.value, { withComputer: computerField.checked && canShareSound() });
  } catch (error) {
    if (!REFUSALS.some((kind) => error instanceof kind) || !(error instanceof Error)) throw error;
    refuse(error.message);
    startButton.disabled = false;
    return;
  }
  becomeSessionPage(key, title);
  setUpTools({ data: { ...data, key }, view });
}

/**
 * @param {string} key
 * @param {string} title
 */
function becomeSessionPage(key, title) {
  const heading = byId("title");
  const isOwnKey = key !== keyField.defaultValue; // one that says something to people
  const untitled = isOwnKey ? key : (heading.dataset.untitled ?? key);
  byId("setup").hidden = true;
  byId("stage").hidden = false;
  document.body.classList.add("meeting-page");
  heading.textContent = title || untitled;
  Object.assign(heading.dataset, { title, untitled });
  byId("key").textContent = title ? key : "";
  setWindowTitle(title || untitled);
  const now = new Date().toISOString();
  byId("started", HTMLTimeElement).dateTime = now;
  byId("started").textContent = momentText(now);
  const deletion = findById("delete-form", HTMLFormElement);
  if (deletion) deletion.action = sessionUrl({ ...data, key }, "delete");
  history.replaceState(null, "", `${data.sessionsUrl}${encodeURIComponent(key)}/`);
  heading.focus();
}

/** @param {File} file */
function nameOf(file) {
  return file.name.replace(/\.\w+$/, "").slice(0, MAX_TITLE);
}

/** Begin with what the address asks for: a file that another program has shared is transcribed at a click. */
async function begin() {
  const source = new URLSearchParams(location.search).get("source");
  const file = source === "shared" ? await takeFile() : null;
  if (source) descendant(form, "[name=source][value=file]", HTMLInputElement).checked = true;
  await showSource();
  if (!file) return;
  const files = new DataTransfer();
  files.items.add(file);
  fileField.files = files.files;
}

begin();
loadTools().catch(() => {}); // while the form is filled in; the start asks again
for (const choice of form.querySelectorAll("[name=source]")) choice.addEventListener("change", showSource);
modelsField?.addEventListener("change", showLanguages);
showLanguages();
paceField.addEventListener("change", showPace);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
