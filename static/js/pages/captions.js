// The latest lines in large letters. ?transparent=1 is for broadcasts, ?size=1.5 and ?lines=3 as they say; ?translation=0 leaves out the other language.

/** @import { Message, PageData, Snapshot } from "../connection/messages.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */

import { ConnectionNote } from "../connection/connection-note.js";
import { SessionSocket, socketAddress } from "../connection/session-socket.js";
import { byId, element, pageData } from "../lib/dom.js";
import { languageOf, speakerName } from "../lib/words.js";
import { PartialView } from "../transcript/partial-view.js";
import { Transcript } from "../transcript/transcript.js";
import { Translations } from "../transcript/translations.js";
import { VoiceColours } from "../transcript/voices.js";

const TOOLS_MS = 2500;
const MIN_SIZE = 0.5;
const MAX_SIZE = 3;
const STEP = 1.15;
const MAX_LINES = 12;

const wanted = new URLSearchParams(location.search);
/** @type {PageData & {transcript: Snapshot}} */
const data = pageData();

class Captions {
  colours = new VoiceColours(data.transcript.speakers);
  /** @type {Map<number, HTMLElement>} */
  rows = new Map();
  transcript = new Transcript(this);
  container = byId("lines");
  partial = new PartialView(byId("partial"));
  translations = new Translations();

  /** @param {number} shown how many lines */
  constructor(shown) {
    this.shown = shown;
    this.transcript.receiveSnapshot(data.transcript);
  }

  /** @param {Message} message */
  receive(message) {
    if (message.final === true) {
      this.partial.clear();
      this.transcript.receiveLine(message);
    } else if (message.final === false) {
      this.partial.show(message);
    } else if (message.event?.type === "revise") {
      this.transcript.receiveRevision(message.event);
    } else if (message.event?.type === "translations") {
      for (const id of this.translations.receive(message.event)) this.drop(id);
      this.show();
    } else if (message.event?.type === "session_end") {
      this.partial.clear();
    }
  }

  // Listener of the transcript.

  added() {
    this.show();
  }

  /**
   * @param {KnownLine} line
   * @param {KnownLine} before
   */
  changed(line, before) {
    this.colours.rename(before.spk.speaker_id, line.spk.speaker_id);
    if (line.asr !== before.asr) this.translations.forget(line.id);
    this.drop(line.id);
    this.show();
  }

  /** @param {KnownLine} line */
  removed(line) {
    this.drop(line.id);
    this.show();
  }

  /** @param {number} id */
  drop(id) {
    this.rows.get(id)?.remove();
    this.rows.delete(id);
  }

  show() {
    const latest = this.transcript.lines.slice(-this.shown);
    for (const id of [...this.rows.keys()]) if (!latest.some((line) => line.id === id)) this.drop(id);
    latest.forEach((line, index) => {
      const row = this.rows.get(line.id) ?? this.row(line);
      this.rows.set(line.id, row);
      row.classList.toggle("is-continued", latest[index - 1]?.spk.speaker_id === line.spk.speaker_id);
      const now = this.container.children[index];
      if (now !== row) this.container.insertBefore(row, now ?? null);
    });
  }

  /** @param {KnownLine} line */
  row(line) {
    const voice = `voice-${this.colours.of(line.spk.speaker_id)}`;
    const translation = this.translations.texts.get(line.id);
    return element(
      "p",
      { class: `caption ${voice}`, lang: languageOf(line.asr) },
      element("span", { class: "name" }, speakerName(line.spk)),
      line.asr,
      translation && element("span", { class: "translation", lang: this.translations.language }, translation),
    );
  }
}

/**
 * Return a number of the address, within limits.
 *
 * @param {string} name
 * @param {{usual: number, min: number, max: number}} limits
 */
function numberOf(name, { usual, min, max }) {
  return Math.min(max, Math.max(min, Number(wanted.get(name)) || usual));
}

function setUpTools() {
  let size = numberOf("size", { usual: 1, min: MIN_SIZE, max: MAX_SIZE });
  const resize = (/** @type {number} */ factor) => {
    size = Math.min(MAX_SIZE, Math.max(MIN_SIZE, size * factor));
    byId("main").style.setProperty("--size", String(size));
  };
  resize(1);
  byId("smaller").addEventListener("click", () => resize(1 / STEP));
  byId("larger").addEventListener("click", () => resize(STEP));
  byId("fullscreen").addEventListener("click", () =>
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  );
  document.documentElement.classList.toggle("is-transparent", wanted.get("transparent") === "1");
  showToolsWhileTouched();
}

function showToolsWhileTouched() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  addEventListener("pointermove", () => {
    document.body.classList.add("is-touched");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.remove("is-touched"), TOOLS_MS);
  });
}

function receive() {
  const captions = new Captions(numberOf("lines", { usual: 6, min: 1, max: MAX_LINES }));
  const note = new ConnectionNote(byId("connection"));
  const { transcript } = captions;
  new SessionSocket({
    address: () =>
      socketAddress(data.key, {
        mode: "receiver",
        v: 2,
        stay: 1,
        token: data.token,
        since: transcript.seq,
        revision: transcript.revision,
        translation: wanted.get("translation") === "0" ? "" : String(captions.translations.number),
      }),
    onMessage: (message) => captions.receive(message),
    onState: (state, fault) => note.show(state, fault),
  }).open();
}

setUpTools();
receive();
navigator.wakeLock?.request("screen").catch(() => {});
