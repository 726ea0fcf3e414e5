// A line of time for each speaker, above the waveform: to see and to go to when somebody speaks, and to read them alone.

/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { Player } from "./player.js" */
/** @import { Track } from "./tracks.js" */

import { clock } from "../lib/clock.js";
import { byId, element } from "../lib/dom.js";
import { fill, gettext, ngettext, speakerInitial, speakerName } from "../lib/words.js";
import { meant, outline, spanAt, tracksOf } from "./tracks.js";

const SVG = "http://www.w3.org/2000/svg";
/** @type {Map<string, number>} */
const STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
]);

export class SpeakerTracks {
  /** @type {Track[]} */
  tracks = [];

  /** @param {{view: SessionView, player: Player}} parts */
  constructor({ view, player }) {
    this.view = view;
    this.player = player;
    this.place = byId("tracks");
    this.opener = byId("tracks-open");
    this.opener.addEventListener("click", () => this.toggle());
    byId("only-end").addEventListener("click", () => this.showEverybody());
    player.addEventListener("change", () => this.showPosition());
  }

  // Companion of the view.

  transcriptChanged() {
    if (!this.place.hidden) this.show();
    this.showFilter();
  }

  filterChanged() {
    this.showFilter();
    if (!this.place.hidden) this.show();
  }

  toggle() {
    this.place.hidden = !this.place.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.place.hidden));
    this.show();
  }

  show() {
    const had = document.activeElement instanceof HTMLElement ? document.activeElement.dataset : {};
    this.tracks = tracksOf(this.view.transcript.lines);
    this.place.replaceChildren(...this.tracks.map((track, index) => this.row(track, index)));
    this.showPosition();
    const same = [...this.place.querySelectorAll("[data-speaker]")].filter((part) => part instanceof HTMLElement);
    same.find(({ dataset }) => dataset.speaker === had.speaker && dataset.part === had.part)?.focus();
  }

  /**
   * @param {Track} track
   * @param {number} index
   */
  row(track, index) {
    const { spk } = track;
    const alone = fill(gettext("Read %(name)s alone"), { name: speakerName(spk) });
    return element(
      "div",
      { class: `track voice-${this.view.transcriptView.colours.of(spk.speaker_id)}` },
      element(
        "button",
        {
          type: "button",
          class: "track-name",
          "aria-pressed": String(this.view.transcriptView.only.has(spk.speaker_id)),
          title: alone,
          "aria-label": alone,
          dataset: { speaker: spk.speaker_id, part: "name" },
          onclick: () => this.toggleSpeaker(spk.speaker_id),
        },
        element("span", { class: "initial", "aria-hidden": "true" }, speakerInitial(spk)),
        element("span", { class: "name" }, speakerName(spk)),
      ),
      this.line(track, index),
    );
  }

  /**
   * @param {Track} track
   * @param {number} index
   */
  line(track, index) {
    const line = element("div", {
      class: "track-line",
      role: "slider",
      tabindex: 0,
      "aria-label": fill(gettext("When %(name)s speaks"), { name: speakerName(track.spk) }),
      "aria-valuemin": 1,
      "aria-valuemax": track.spans.length,
      dataset: { speaker: track.spk.speaker_id, part: "line" },
    });
    line.append(picture(track, this.player.availableMs), element("span", { class: "track-now" }));
    line.addEventListener("click", (event) => this.clicked(event, this.tracks[index], line));
    line.addEventListener("keydown", (event) => this.key(event, this.tracks[index]));
    return line;
  }

  /**
   * @param {MouseEvent} event
   * @param {Track} track
   * @param {HTMLElement} line
   */
  clicked(event, track, line) {
    const { left, width } = line.getBoundingClientRect();
    this.goTo(meant(track, ((event.clientX - left) / width) * this.player.availableMs));
  }

  /**
   * Go from one time that they speak to another.
   *
   * @param {KeyboardEvent} event
   * @param {Track} track
   */
  key(event, track) {
    const step = STEPS.get(event.key);
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const at = spanAt(track, this.player.ms);
    const wanted = Math.min(Math.max(0, at + step), track.spans.length - 1);
    this.goTo(track.spans[wanted][0]);
  }

  /** @param {number} ms */
  async goTo(ms) {
    this.view.follow.stop();
    await this.player.seek(ms);
    this.view.transcriptView.playing?.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  showPosition() {
    if (this.place.hidden) return;
    const { ms, availableMs } = this.player;
    const lines = this.place.querySelectorAll(".track-line");
    lines.forEach((line, index) => {
      const track = this.tracks[index];
      const at = spanAt(track, ms);
      const start = track.spans[Math.max(0, at)][0];
      line.setAttribute("aria-valuenow", String(Math.max(0, at) + 1));
      line.setAttribute("aria-valuetext", spoken(track, at, start));
      const now = line.querySelector(".track-now");
      if (now instanceof HTMLElement) now.style.setProperty("left", `${availableMs ? (100 * ms) / availableMs : 0}%`);
    });
  }

  // Reading some alone.

  /** @param {string} speakerId */
  toggleSpeaker(speakerId) {
    const only = new Set(this.view.transcriptView.only);
    if (!only.delete(speakerId)) only.add(speakerId);
    this.view.showOnly(only);
  }

  showEverybody() {
    this.view.showOnly([]);
    (this.place.hidden ? this.opener : this.place.querySelector("button"))?.focus();
  }

  showFilter() {
    const { only } = this.view.transcriptView;
    byId("only").hidden = !only.size;
    if (!only.size) return;
    const { lines } = this.view.transcript;
    const shown = lines.filter((line) => only.has(line.spk.speaker_id));
    const names = new Set(shown.map((line) => speakerName(line.spk)));
    byId("only-whom").textContent = fill(
      ngettext(
        "%(names)s alone: %(count)s line of %(all)s",
        "%(names)s alone: %(count)s lines of %(all)s",
        shown.length,
      ),
      { names: [...names].join(gettext(", ")), count: shown.length, all: lines.length },
    );
  }
}

/**
 * @param {Track} track
 * @param {number} lengthMs
 */
function picture(track, lengthMs) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${Math.max(1, lengthMs)} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", outline(track));
  svg.append(path);
  return svg;
}

/**
 * Say where a slider is, for those who hear it.
 *
 * @param {Track} track
 * @param {number} at
 * @param {number} start
 */
function spoken({ spans }, at, start) {
  return fill(gettext("%(now)s, time %(number)s of %(all)s"), {
    now: clock(start),
    number: Math.max(0, at) + 1,
    all: spans.length,
  });
}
