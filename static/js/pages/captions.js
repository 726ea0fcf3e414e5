// The latest lines in large letters. ?transparent=1 is for broadcasts, ?size=1.5 and ?lines=3 as they say.

import { ConnectionNote } from "../connection/connection-note.js";
import { element, pageData } from "../lib/dom.js";
import { SessionSocket, socketAddress } from "../connection/session-socket.js";
import { Transcript } from "../transcript/transcript.js";
import { VoiceColours } from "../transcript/voices.js";
import { languageOf, speakerName } from "../lib/words.js";

const TOOLS_MS = 2500;
const SIZES = [0.5, 3];

const byId = (id) => document.getElementById(id);
const wanted = new URLSearchParams(location.search);
const data = pageData();

class Captions {
  constructor() {
    this.colours = new VoiceColours(data.transcript.speakers);
    this.rows = new Map();
    this.most = numberOf("lines", 6, 1, 12);
    this.transcript = new Transcript(this);
    this.transcript.receiveSnapshot(data.transcript);
  }

  receive(message) {
    if (message.final === true) {
      this.setPartial("");
      this.transcript.receiveLine(message);
    } else if (message.final === false) {
      this.setPartial(message.asr);
    } else if (message.event?.type === "revise") {
      this.transcript.receiveRevision(message.event);
    } else if (message.event?.type === "session_end") {
      this.setPartial("");
    }
  }

  setPartial(text) {
    byId("partial").hidden = !text;
    byId("partial").textContent = text;
    byId("partial").lang = languageOf(text);
  }

  added() {
    this.show();
  }

  changed(line, before) {
    this.colours.rename(before.spk.speaker_id, line.spk.speaker_id);
    this.rows.get(line.id)?.remove();
    this.rows.delete(line.id);
    this.show();
  }

  removed(line) {
    this.rows.get(line.id)?.remove();
    this.rows.delete(line.id);
    this.show();
  }

  show() {
    const shown = this.transcript.lines.slice(-this.most);
    for (const [id, row] of this.rows) {
      if (shown.some((line) => line.id === id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    shown.forEach((line, index) => {
      if (!this.rows.has(line.id)) this.rows.set(line.id, this.row(line));
      const row = this.rows.get(line.id);
      row.classList.toggle("is-continued", shown[index - 1]?.spk.speaker_id === line.spk.speaker_id);
      if (byId("lines").children[index] !== row) byId("lines").insertBefore(row, byId("lines").children[index] ?? null);
    });
  }

  row(line) {
    const voice = `voice-${this.colours.of(line.spk.speaker_id)}`;
    return element(
      "p",
      { class: `caption ${voice}`, lang: languageOf(line.asr) },
      element("span", { class: "name" }, speakerName(line.spk)),
      line.asr,
    );
  }
}

function numberOf(name, usual, least, most) {
  const value = Number(wanted.get(name));
  return value ? Math.min(most, Math.max(least, value)) : usual;
}

function setUpTools() {
  let size = numberOf("size", 1, ...SIZES);
  const resize = (factor) => {
    size = Math.min(SIZES[1], Math.max(SIZES[0], size * factor));
    byId("main").style.setProperty("--size", size);
  };
  resize(1);
  byId("smaller").addEventListener("click", () => resize(1 / 1.15));
  byId("larger").addEventListener("click", () => resize(1.15));
  byId("fullscreen").addEventListener("click", () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  );
  let timer;
  addEventListener("pointermove", () => {
    document.body.classList.add("is-touched");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.remove("is-touched"), TOOLS_MS);
  });
  document.documentElement.classList.toggle("is-transparent", wanted.get("transparent") === "1");
}

setUpTools();
const captions = new Captions();
const note = new ConnectionNote(byId("connection"));
new SessionSocket({
  address: () =>
    socketAddress(data.key, {
      mode: "receiver",
      v: 2,
      stay: 1,
      token: data.token,
      since: captions.transcript.seq,
      revision: captions.transcript.revision,
    }),
  onMessage: (message) => captions.receive(message),
  onState: (state, detail) => note.show(state, detail),
}).open();
navigator.wakeLock?.request("screen").catch(() => {});
