// A new session, from the microphone or a file: one button, and this page becomes that session's page.

import { ConnectionNote } from "../connection/connection-note.js";
import { pageData } from "../lib/dom.js";
import { FileError } from "../recording/file-audio.js";
import { MicrophoneError, whyImpossible } from "../recording/microphone.js";
import { fillMicrophones, Recorder } from "../recording/recorder.js";
import { setUpTools } from "../session/session-tools.js";
import { SessionView } from "../transcript/session-view.js";

const byId = (id) => document.getElementById(id);
const data = pageData();
const form = byId("setup-form");
const impossible = byId("impossible");

function refuse(reason) {
  impossible.textContent = reason;
  impossible.hidden = !reason;
}

const isOfFile = () => form.elements.source.value === "file";

// What the form asks for, and whether it can be had.
async function showSource() {
  const ofFile = isOfFile();
  for (const part of form.querySelectorAll("[data-source]")) part.hidden = (part.dataset.source === "file") !== ofFile;
  form.elements.file.required = ofFile;
  refuse(ofFile ? "" : whyImpossible());
  byId("start").disabled = !impossible.hidden;
  if (ofFile || !impossible.hidden) return;
  byId("setup-device").hidden = !(await fillMicrophones(form.querySelector(".microphones"))) || isOfFile();
}

async function start() {
  const key = form.elements.key.value.trim();
  const title = form.elements.title.value.trim() || (isOfFile() ? nameOf(form.elements.file.files[0]) : "");
  refuse("");
  byId("start").disabled = true;
  const view = new SessionView({ state: "live" });
  const note = new ConnectionNote(byId("connection"));
  const recorder = new Recorder({ key, title, token: data.token, view, note });
  try {
    if (isOfFile()) await recorder.startFile(form.elements.file.files[0], { isInRealTime: form.elements.pace.value === "real" });
    else await recorder.start(form.querySelector(".microphones").value);
  } catch (error) {
    if (!(error instanceof MicrophoneError) && !(error instanceof FileError)) throw error;
    refuse(error.message);
    byId("start").disabled = false;
    return;
  }
  becomeSessionPage(key, title);
  setUpTools({ data: { ...data, key }, view });
}

function becomeSessionPage(key, title) {
  byId("setup").hidden = true;
  byId("stage").hidden = false;
  byId("title").textContent = title || key;
  Object.assign(byId("title").dataset, { title, key });
  byId("key").textContent = title ? key : "";
  document.title = `${title || key} · asrsite`;
  history.replaceState(null, "", `${data.sessionsUrl}${encodeURIComponent(key)}/`);
  byId("title").focus();
}

const nameOf = (file) => file.name.replace(/\.\w+$/, "").slice(0, 200);

showSource();
for (const choice of form.elements.source) choice.addEventListener("change", showSource);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
