// A new recording: one button, and this page becomes that session's page.

import { ConnectionNote } from "./connection-note.js";
import { pageData } from "./dom.js";
import { MicrophoneError, whyImpossible } from "./microphone.js";
import { fillMicrophones, Recorder } from "./recorder.js";
import { setUpTools } from "./session-tools.js";
import { SessionView } from "./session-view.js";

const byId = (id) => document.getElementById(id);
const data = pageData();
const form = byId("setup-form");
const impossible = byId("impossible");

function refuse(reason) {
  impossible.textContent = reason;
  impossible.hidden = !reason;
}

async function offerMicrophones() {
  const select = form.querySelector(".microphones");
  byId("setup-device").hidden = !(await fillMicrophones(select));
}

async function start() {
  const key = form.elements.key.value.trim();
  const title = form.elements.title.value.trim();
  byId("start").disabled = true;
  const view = new SessionView({ state: "live" });
  const note = new ConnectionNote(byId("connection"));
  const recorder = new Recorder({ key, title, token: data.token, view, note });
  try {
    await recorder.start(form.querySelector(".microphones").value);
  } catch (error) {
    if (!(error instanceof MicrophoneError)) throw error;
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

refuse(whyImpossible());
if (impossible.hidden) offerMicrophones();
else byId("start").disabled = true;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
