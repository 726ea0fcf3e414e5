// One session on a page, live and afterwards: its transcript, its state, who speaks. Fed by a socket's messages.

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { Follow } from "./follow.js";
import { Transcript } from "./transcript.js";
import { TranscriptView } from "./transcript-view.js";
import { fill, gettext, speakerInitial, speakerName } from "../lib/words.js";

const STATES = {
  live: () => gettext("live"),
  paused: () => gettext("waiting for its sender"),
  draining: () => gettext("finishing"),
  ended: () => gettext("ended"),
};

const SETTLED_MS = 300; // since the last change: no more of the same

const byId = (id) => document.getElementById(id);

export class SessionView {
  constructor({ state, snapshot }) {
    this.follow = new Follow(byId("jump"));
    this.view = new TranscriptView(byId("lines"), byId("partial"), snapshot?.speakers);
    this.transcript = new Transcript();
    if (snapshot) this.transcript.receiveSnapshot(snapshot);
    this.view.show(this.transcript.lines);
    this.transcript.listener = this;
    // What else is on the page: each may have transcriptChanged(), lineChanged(line), lineRemoved(line, index), ended()
    // and choosePerson(speakerId).
    this.companions = [];
    this.setState(state);
    this.showPeople();
    if (this.isLive) this.follow.start();
  }

  get isLive() {
    return this.state !== "ended";
  }

  // Where to go on after a lost connection.
  get marks() {
    return { since: this.transcript.seq, revision: this.transcript.revision };
  }

  tell(what, ...details) {
    for (const companion of this.companions) companion[what]?.(...details);
  }

  receive(message) {
    if (message.final === true) {
      this.view.setPartial("");
      this.transcript.receiveLine(message);
    } else if (message.final === false) {
      this.view.setPartial(message.asr);
      this.follow.grown();
    } else if (message.event?.type === "revise") {
      this.transcript.receiveRevision(message.event);
    } else if (message.event?.type === "session") {
      this.setState(message.event.state);
    } else if (message.event?.type === "session_end") {
      this.setState("ended");
    }
    this.showEmptiness();
  }

  setState(state) {
    if (!STATES[state] || state === this.state) return;
    const wasLive = this.state !== undefined && this.isLive;
    this.state = state;
    const badge = byId("state");
    badge.className = `state state-${state}`;
    badge.textContent = STATES[state]();
    this.follow.live = this.isLive;
    if (!this.isLive) this.view.setPartial("");
    if (wasLive && !this.isLive) this.tell("ended");
    this.showEmptiness();
  }

  // Listener of the transcript.

  added(line, index) {
    this.view.added(line, index, this.transcript.lines);
    this.follow.grown(1);
    this.changeSoon();
  }

  changed(line, before, index) {
    this.view.changed(line, before, index, this.transcript.lines);
    this.tell("lineChanged", line);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), SETTLED_MS);
    this.changeSoon();
  }

  removed(line, index) {
    this.view.removed(line, index, this.transcript.lines);
    this.tell("lineRemoved", line, index);
    this.changeSoon();
  }

  settle() {
    if (this.view.settleColours(this.transcript.lines)) this.changeSoon();
  }

  // Once for all lines that come together.
  changeSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.showPeople();
      this.tell("transcriptChanged");
    }, 60);
  }

  showEmptiness() {
    const isEmpty = !this.transcript.lines.length && byId("partial").hidden;
    byId("waiting").hidden = !(isEmpty && this.isLive);
    byId("nothing").hidden = !(isEmpty && !this.isLive);
  }

  // Who speaks, and how much.

  showPeople() {
    const people = new Map();
    let total = 0;
    for (const { spk, start_ms: start, end_ms: end } of this.transcript.lines) {
      const known = people.get(spk.speaker_id) ?? { spk, ms: 0 };
      known.spk = spk;
      known.ms += end - start;
      total += end - start;
      people.set(spk.speaker_id, known);
    }
    const rows = [...people.values()].map((person) => this.personRow(person, total));
    byId("people").replaceChildren(...rows);
    byId("people").closest(".people").hidden = !rows.length;
  }

  personRow({ spk, ms }, total) {
    const share = Math.round((100 * ms) / Math.max(1, total));
    const name = speakerName(spk);
    const title = fill(gettext("%(share)s % of the talking, %(time)s"), { share, time: clock(ms) });
    return element(
      "li",
      { class: `voice-${this.view.colours.of(spk.speaker_id)}` },
      element(
        "button",
        { type: "button", class: "person", title, dataset: { speaker: spk.speaker_id }, onclick: () => this.tell("choosePerson", spk.speaker_id) },
        element("span", { class: "initial", "aria-hidden": "true" }, speakerInitial(spk)),
        element("span", { class: "name" }, name),
        element("span", { class: "share" }, `${share} %`),
        element("meter", { class: "share-bar", min: 0, max: 100, value: share, "aria-hidden": "true" }),
      ),
    );
  }

  personOf(speakerId) {
    return [...byId("people").querySelectorAll(".person")].find((row) => row.dataset.speaker === speakerId);
  }
}
