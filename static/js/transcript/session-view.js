// One session on a page, live and afterwards: its transcript, its state, who speaks. Fed by a socket's messages.

/** @import { Message, SessionState, Snapshot, TranslationsMessage } from "../connection/messages.js" */
/** @import { Talking } from "./people.js" */
/** @import { KnownLine } from "./transcript.js" */

import { clock } from "../lib/clock.js";
import { byId, closest, element, setText } from "../lib/dom.js";
import { timeText } from "../lib/moments.js";
import { fill, gettext, speakerInitial, speakerName } from "../lib/words.js";
import { Follow } from "./follow.js";
import { PartialView } from "./partial-view.js";
import { talkingTimes } from "./people.js";
import { Transcript } from "./transcript.js";
import { TranscriptView } from "./transcript-view.js";
import { Translations } from "./translations.js";

/** @type {Partial<Record<SessionState, (until: string) => string>>} */
const STATES = {
  live: () => gettext("live"),
  paused: (until) =>
    until
      ? fill(gettext("waiting for the microphone until %(time)s"), { time: timeText(until) })
      : gettext("waiting for the microphone"),
  draining: () => gettext("finishing"),
  ended: () => gettext("ended"),
};

/** What ended a session, where its readers may wonder. @type {Partial<Record<string, () => string>>} */
const CAUSES = {
  absence: () => gettext("its microphone was away for too long"),
  limit: () => gettext("it had reached the longest duration"),
};

const SETTLED_MS = 300; // since the last change: no more of the same
const TOGETHER_MS = 60; // lines that come within this are told once

/**
 * Whatever else is on the page and wants to be told.
 *
 * @typedef {object} Companion
 * @property {() => void} [transcriptChanged]
 * @property {(line: KnownLine) => void} [lineChanged]
 * @property {(line: KnownLine, index: number) => void} [lineRemoved]
 * @property {() => void} [ended]
 * @property {() => void} [listeningChanged] the microphone of this page begins or ends to listen
 * @property {(speakerId: string) => void} [choosePerson]
 * @property {(number: number) => void} [notesChanged]
 * @property {() => void} [translationsChanged]
 * @property {() => void} [filterChanged]
 */

export class SessionView {
  /** @type {Companion[]} */
  companions = [];
  /** Whether the microphone of this page listens: what sounds here would be transcribed. */
  isListening = false;
  partial = new PartialView(byId("partial"));
  partialMs = 0;
  translations = new Translations();
  /** @type {SessionState | undefined} */
  state;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  changeTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  settleTimer;

  /** @param {{state: SessionState, until?: string, snapshot?: Snapshot}} parts */
  constructor({ state, until, snapshot }) {
    this.follow = new Follow(byId("jump"));
    this.transcriptView = new TranscriptView(byId("lines"), snapshot?.speakers);
    this.transcript = new Transcript();
    if (snapshot) this.transcript.receiveSnapshot(snapshot);
    this.transcriptView.show(this.transcript.lines);
    this.transcript.listener = this;
    this.setState(state, until);
    this.showPeople();
    if (this.isLive) this.follow.start();
  }

  get isLive() {
    return this.state !== "ended";
  }

  /** Where to go on after a lost connection. */
  get marks() {
    const { seq: since, revision } = this.transcript;
    return { since, revision, translation: String(this.translations.number) };
  }

  /** Return how far the meeting is, in milliseconds, as far as this page has heard; who records knows better. */
  nowMs = () => Math.max(this.partialMs, this.transcript.lines.at(-1)?.end_ms ?? 0);

  /** @param {(companion: Companion) => void} call */
  tell(call) {
    this.companions.forEach(call);
  }

  /** @param {Message} message */
  receive(message) {
    if (message.final === true) {
      this.partial.clear();
      this.transcript.receiveLine(message);
    } else if (message.final === false) {
      this.partial.show(message);
      this.partialMs = message.start_ms;
      this.follow.grown();
    } else if (message.event) {
      this.receiveEvent(message.event);
    }
    this.showEmptiness();
  }

  /** @param {NonNullable<Message["event"]>} event */
  receiveEvent(event) {
    if (event.type === "revise") {
      this.transcript.receiveRevision(event);
    } else if (event.type === "session") {
      this.setState(event.state, event.until);
    } else if (event.type === "session_end") {
      this.setState("ended");
      setText(byId("closed-by"), CAUSES[event.closed_by]?.() ?? "");
    } else if (event.type === "notes") {
      this.tell((companion) => companion.notesChanged?.(event.number));
    } else if (event.type === "translations") {
      this.receiveTranslations(event);
    }
  }

  /** @param {TranslationsMessage} event */
  receiveTranslations(event) {
    for (const id of this.translations.receive(event)) {
      this.transcriptView.showTranslation(id, this.translations.texts.get(id) ?? "", event.language);
    }
    this.follow.grown();
    this.tell((companion) => companion.translationsChanged?.());
  }

  /**
   * @param {SessionState} state
   * @param {string} [until] for how long its sender is waited for
   */
  setState(state, until = "") {
    const word = STATES[state];
    if (!word) return;
    setText(byId("state"), word(until));
    if (state === this.state) return;
    const wasLive = this.state !== undefined && this.isLive;
    this.state = state;
    byId("state").className = `state state-${state}`;
    this.follow.setLive(this.isLive);
    if (!this.isLive) this.partial.clear();
    if (wasLive && !this.isLive) this.tell((companion) => companion.ended?.());
    this.showEmptiness();
  }

  /** @param {boolean} isListening */
  setListening(isListening) {
    if (isListening === this.isListening) return;
    this.isListening = isListening;
    this.tell((companion) => companion.listeningChanged?.());
  }

  // Listener of the transcript.

  /**
   * @param {KnownLine} line
   * @param {number} index
   */
  added(line, index) {
    this.transcriptView.added(line, index, this.transcript.lines);
    this.follow.grown(1);
    this.changeSoon();
  }

  /**
   * @param {KnownLine} line
   * @param {KnownLine} before
   * @param {number} index
   */
  changed(line, before, index) {
    if (line.asr !== before.asr) {
      this.translations.forget(line.id);
      this.transcriptView.showTranslation(line.id, "");
    }
    this.transcriptView.changed(line, before, index, this.transcript.lines);
    this.tell((companion) => companion.lineChanged?.(line));
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => this.settle(), SETTLED_MS);
    this.changeSoon();
  }

  /**
   * @param {KnownLine} line
   * @param {number} index
   */
  removed(line, index) {
    this.transcriptView.removed(line, index, this.transcript.lines);
    this.tell((companion) => companion.lineRemoved?.(line, index));
    this.changeSoon();
  }

  settle() {
    if (this.transcriptView.settleColours(this.transcript.lines)) this.changeSoon();
  }

  changeSoon() {
    this.changeTimer ??= setTimeout(() => {
      this.changeTimer = undefined;
      this.showPeople();
      this.tell((companion) => companion.transcriptChanged?.());
    }, TOGETHER_MS);
  }

  showEmptiness() {
    const isEmpty = !this.transcript.lines.length && this.partial.place.hidden;
    byId("waiting").hidden = !(isEmpty && this.isLive);
    byId("nothing").hidden = !(isEmpty && !this.isLive);
  }

  /**
   * Go to a line, and let it be seen which one it is; nothing happens if it is not there.
   *
   * @param {number} id
   */
  showLine(id) {
    const row = this.transcriptView.rows.get(id);
    if (!row) return;
    this.follow.stop();
    this.transcriptView.setCurrent(row);
    for (const other of this.transcriptView.rows.values()) other.classList.toggle("is-linked", other === row);
    row.scrollIntoView({ block: "center" });
  }

  // Whose lines are shown.

  /**
   * Show the lines of these speakers alone; of everybody, if there are none.
   *
   * @param {Iterable<string>} speakers
   */
  showOnly(speakers) {
    this.transcriptView.showOnly(new Set(speakers), this.transcript.lines);
    this.tell((companion) => companion.filterChanged?.());
  }

  // Who speaks, and how much.

  showPeople() {
    const rows = talkingTimes(this.transcript.lines).map((person) => this.personRow(person));
    byId("people").replaceChildren(...rows);
    closest(byId("people"), ".people")?.toggleAttribute("hidden", !rows.length);
  }

  /** @param {Talking} person */
  personRow({ spk, ms, percent }) {
    const title = fill(gettext("%(share)s % of the talking, %(time)s"), { share: percent, time: clock(ms) });
    const choose = () => this.tell((companion) => companion.choosePerson?.(spk.speaker_id));
    return element(
      "li",
      { class: `voice-${this.transcriptView.colours.of(spk.speaker_id)}` },
      element(
        "button",
        { type: "button", class: "person", title, dataset: { speaker: spk.speaker_id }, onclick: choose },
        element("span", { class: "initial", "aria-hidden": "true" }, speakerInitial(spk)),
        element("span", { class: "name" }, speakerName(spk)),
        element("span", { class: "share" }, `${percent} %`),
        element("meter", { class: "share-bar", min: 0, max: 100, value: percent, "aria-hidden": "true" }),
      ),
    );
  }

  /**
   * Light those who are being heard.
   *
   * @param {readonly string[]} speakers
   */
  lightPeople(speakers) {
    for (const person of byId("people").querySelectorAll("button")) {
      person.classList.toggle("is-sounding", speakers.includes(person.dataset.speaker ?? ""));
    }
  }

  /**
   * Return the button of somebody who speaks.
   *
   * @param {string} speakerId
   */
  personOf(speakerId) {
    return [...byId("people").querySelectorAll("button")].find((person) => person.dataset.speaker === speakerId);
  }
}
