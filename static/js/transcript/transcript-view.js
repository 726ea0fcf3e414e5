// A transcript on the page. Lines once shown never move.

/** @import { Overlap } from "../connection/messages.js" */
/** @import { OverlapMark } from "./overlap-marks.js" */
/** @import { KnownLine } from "./transcript.js" */

import { clock } from "../lib/clock.js";
import { closest, descendant, element, setText } from "../lib/dom.js";
import { fill, gettext, languageOf, speakerInitial, speakerName } from "../lib/words.js";
import { ofRules, placeOfChange } from "./changes.js";
import { overlapMark } from "./overlap-marks.js";
import { VoiceColours } from "./voices.js";

const STEPS = new Map([
  ["ArrowUp", -1],
  ["ArrowDown", 1],
]);

export class TranscriptView {
  /** @type {Map<number, HTMLElement>} */
  rows = new Map();
  /** @type {HTMLElement | null} the row that the Tab key reaches */
  current = null;
  /** @type {HTMLElement | null} the row that is being heard; of several, the last that has begun */
  playing = null;
  /** @type {Set<HTMLElement>} all rows that are being heard */
  sounding = new Set();
  /** @type {HTMLElement | undefined} */
  probe;
  /** @type {Map<number, Range[]>} pieces of lines that are marked */
  marked = new Map();
  /** @type {Set<string>} ids of those whose lines are shown; empty for everybody's */
  only = new Set();

  /**
   * @param {HTMLElement} container of the lines
   * @param {string[]} [speakers] of the voices that are known from before
   */
  constructor(container, speakers) {
    this.container = container;
    /** Pieces that rules have changed. */
    this.rewritten = globalThis.Highlight ? new Highlight() : null;
    if (this.rewritten) CSS.highlights.set("rewritten", this.rewritten);
    this.colours = new VoiceColours(speakers);
    container.addEventListener("keydown", (event) => this.moveFocus(event));
    container.addEventListener("focusin", ({ target }) => this.setCurrent(closest(target, ".line")));
  }

  /**
   * Show a whole transcript at once: quicker than line by line, and not read aloud.
   *
   * @param {KnownLine[]} lines
   */
  show(lines) {
    this.container.setAttribute("aria-live", "off");
    const rows = lines.map((line) => this.makeRow(line));
    this.container.replaceChildren(...rows);
    lines.forEach((_, index) => this.showNeighbours(index, lines));
    this.setCurrent(rows[0]);
    requestAnimationFrame(() => this.container.setAttribute("aria-live", "polite"));
  }

  // Transcript listener.

  /**
   * @param {KnownLine} line
   * @param {number} index
   * @param {KnownLine[]} lines
   */
  added(line, index, lines) {
    const row = this.makeRow(line);
    this.container.insertBefore(row, this.container.children[index] ?? null);
    this.showNeighbourhood(index, lines);
    if (!this.current?.isConnected) this.setCurrent(row);
  }

  /**
   * @param {KnownLine} line
   * @param {KnownLine} before
   * @param {number} index
   * @param {KnownLine[]} lines
   */
  changed(line, before, index, lines) {
    this.colours.rename(before.spk.speaker_id, line.spk.speaker_id);
    before.overlaps.forEach(({ speaker_id }, place) =>
      this.colours.rename(speaker_id, line.overlaps[place]?.speaker_id ?? ""),
    );
    if (this.only.has(before.spk.speaker_id)) this.only.add(line.spk.speaker_id); // it may be a new name
    this.fill(line);
    this.showNeighbourhood(index, lines);
  }

  /**
   * @param {KnownLine} line
   * @param {number} index
   * @param {KnownLine[]} lines
   */
  removed(line, index, lines) {
    const row = this.rows.get(line.id);
    this.rows.delete(line.id);
    if (row && row === this.current) this.setCurrent(neighbour(row, 1) ?? neighbour(row, -1));
    row?.remove();
    this.showNeighbourhood(index, lines);
  }

  /**
   * Learn that all has come that changes together: it can be told who is whose new name.
   *
   * @param {KnownLine[]} lines
   * @returns {boolean} whether colours changed
   */
  settleColours(lines) {
    const speaking = (/** @type {KnownLine} */ line) => [line.spk, ...line.overlaps].map((one) => one.speaker_id);
    const separate = this.colours.separate(new Set(lines.flatMap(speaking)));
    for (const line of lines) if (speaking(line).some((id) => separate.includes(id))) this.fill(line);
    return separate.length > 0;
  }

  // Rows.

  /** @param {KnownLine} line */
  makeRow(line) {
    const row = element(
      "div",
      { class: "line", id: `line-${line.id}`, role: "group", tabindex: -1, dataset: { line: line.id } },
      element(
        "p",
        { class: "speaker" },
        element("span", { class: "initial", "aria-hidden": "true" }),
        element("span", { class: "name" }),
      ),
      element("button", { class: "time", type: "button", tabindex: -1, dataset: { action: "play" } }),
      element("p", { class: "text" }),
    );
    this.rows.set(line.id, row);
    this.fill(line);
    return row;
  }

  /** @param {KnownLine} line */
  fill(line) {
    const row = this.rows.get(line.id);
    if (!row) return;
    setVoice(row, this.colours.of(line.spk.speaker_id));
    row.hidden = !this.isShown(line);
    row.classList.toggle("is-edited", Boolean(line.edited));
    row.setAttribute("aria-label", `${speakerName(line.spk)}, ${clock(line.start_ms)}`);
    setText(descendant(row, ".name"), speakerName(line.spk));
    setText(descendant(row, ".initial"), speakerInitial(line.spk));
    const time = descendant(row, ".time");
    setText(time, clock(line.start_ms));
    time.setAttribute("aria-label", fill(gettext("Play from %(time)s"), { time: clock(line.start_ms) }));
    const text = descendant(row, ".text");
    setText(text, line.asr);
    text.lang = languageOf(line.asr);
    this.showChanges(line, text);
  }

  /**
   * Mark what rules have changed, and say what was heard.
   *
   * @param {KnownLine} line
   * @param {HTMLElement} text
   */
  showChanges(line, text) {
    for (const range of this.marked.get(line.id) ?? []) this.rewritten?.delete(range);
    this.marked.delete(line.id);
    const heard = line.changes.map((change) => change.heard).join(", ");
    if (heard) text.title = fill(gettext("Heard: %(text)s"), { text: heard });
    else text.removeAttribute("title");
    const node = text.firstChild;
    const changes = ofRules(line);
    if (!changes.length || !node) return;
    const ranges = changes.map((change) => rangeOf(node, placeOfChange(line, change)));
    for (const range of ranges) this.rewritten?.add(range);
    this.marked.set(line.id, ranges);
  }

  /**
   * Show what a line is in another language, or that this is not known.
   *
   * @param {number} id
   * @param {string} text
   * @param {string} [language]
   */
  showTranslation(id, text, language = "") {
    const row = this.rows.get(id);
    if (!row) return;
    row.querySelector(".translation")?.remove();
    if (text) descendant(row, ".text").after(element("p", { class: "translation", lang: language }, text));
  }

  /** @param {KnownLine} line */
  isShown(line) {
    return !this.only.size || this.only.has(line.spk.speaker_id);
  }

  /**
   * @param {Set<string>} speakers
   * @param {KnownLine[]} lines
   */
  showOnly(speakers, lines) {
    this.only = speakers;
    for (const line of lines) this.rows.get(line.id)?.toggleAttribute("hidden", !this.isShown(line));
    if (this.current?.hidden) this.setCurrent(neighbour(this.current, 1) ?? neighbour(this.current, -1));
  }

  /**
   * Show what a line and those after it owe to the lines before them.
   *
   * @param {number} index
   * @param {KnownLine[]} lines
   */
  showNeighbourhood(index, lines) {
    this.showNeighbours(index, lines);
    const last = Math.max(lines[index]?.end_ms ?? 0, lines[index + 1]?.start_ms ?? 0);
    for (let next = index + 1; next < lines.length && lines[next].start_ms <= last; next += 1) {
      this.showNeighbours(next, lines);
    }
  }

  /**
   * Name no speaker again who goes on, and say who speaks at the same time.
   *
   * @param {number} index
   * @param {KnownLine[]} lines
   */
  showNeighbours(index, lines) {
    const line = lines[index];
    const row = line && this.rows.get(line.id);
    if (!row) return;
    row.classList.toggle("is-continued", lines[index - 1]?.spk.speaker_id === line.spk.speaker_id);
    this.showMark(row, line, overlapMark(lines, index));
  }

  /**
   * @param {HTMLElement} row
   * @param {KnownLine} line
   * @param {OverlapMark} mark
   */
  showMark(row, line, { during, too }) {
    row.querySelector(".overlap")?.remove();
    if (!during && !too) return;
    const others = new Map(line.overlaps.map((overlap) => [overlap.speaker_id, overlap]));
    const initials = [...others.values()].map((overlap) =>
      element(
        "span",
        {
          class: `initial voice-${this.colours.of(overlap.speaker_id)}`,
          "aria-hidden": "true",
          dataset: { speaker: overlap.speaker_id },
        },
        speakerInitial(overlap),
      ),
    );
    const between = during && too ? " · " : "";
    const mark = element("p", { class: "overlap" }, during, between, ...initials, too);
    descendant(row, ".text").after(mark);
  }

  /**
   * Return the text of a line as it stands on the page.
   *
   * @param {KnownLine} line
   */
  textNodeOf(line) {
    const text = this.rows.get(line.id)?.querySelector(".text")?.firstChild;
    return text instanceof Text ? text : null;
  }

  /**
   * Return the colour of a line's voice, as the page has it now.
   *
   * @param {KnownLine | null} line
   */
  colourOf(line) {
    const colour = line ? this.colours.of(line.spk.speaker_id) : 0;
    if (!this.probe) {
      this.probe = element("i", { hidden: true });
      this.container.parentElement?.append(this.probe);
    }
    this.probe.className = `voice-${colour} voice-probe`;
    return getComputedStyle(this.probe).color;
  }

  // One line at a time can be reached by the Tab key; arrows go from line to line.

  /** @param {HTMLElement | null | undefined} row */
  setCurrent(row) {
    if (!row || row === this.current) return;
    this.current?.setAttribute("tabindex", "-1");
    this.current = row;
    row.setAttribute("tabindex", "0");
  }

  /** @param {KeyboardEvent} event */
  moveFocus(event) {
    const row = event.target;
    const step = STEPS.get(event.key);
    if (!step || !(row instanceof HTMLElement) || !row.classList.contains("line")) return;
    const next = neighbour(row, step);
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    next.focus();
  }

  /**
   * Mark the lines that are being heard, and those who speak in them without words.
   *
   * @param {KnownLine[]} lines the last that has begun first
   * @param {number} ms
   * @param {{follow: boolean}} options
   */
  setPlaying(lines, ms, { follow }) {
    const rows = lines.flatMap((line) => this.rows.get(line.id) ?? []);
    const speakers = lines.flatMap((line) => line.overlaps.filter((overlap) => isAt(overlap, ms)));
    const ids = speakers.map((overlap) => overlap.speaker_id);
    for (const row of this.sounding) row.classList.toggle("is-playing", rows.includes(row));
    for (const row of rows) row.classList.add("is-playing");
    for (const row of [...this.sounding, ...rows]) lightOverlaps(row, rows.includes(row) ? ids : []);
    this.sounding = new Set(rows);
    const [row = null] = rows;
    if (row === this.playing) return;
    this.playing = row;
    if (row && follow && !isInSight(row)) row.scrollIntoView({ block: "center", behavior: "smooth" });
  }
}

/**
 * @param {Node} node
 * @param {[number, number]} place
 */
function rangeOf(node, [begin, stop]) {
  const range = document.createRange();
  range.setStart(node, begin);
  range.setEnd(node, stop);
  return range;
}

/**
 * @param {HTMLElement} row
 * @param {number} colour
 */
function setVoice(row, colour) {
  const voice = `voice-${colour}`;
  for (const old of [...row.classList]) if (old.startsWith("voice-") && old !== voice) row.classList.remove(old);
  row.classList.add(voice);
}

/**
 * @param {HTMLElement} row
 * @param {number} step
 */
function neighbour(row, step) {
  const found = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  if (found instanceof HTMLElement && found.hidden) return neighbour(found, step);
  return found instanceof HTMLElement ? found : null;
}

/**
 * @param {Overlap} overlap
 * @param {number} ms
 */
function isAt(overlap, ms) {
  return overlap.start_ms <= ms && ms < overlap.end_ms;
}

/**
 * Light those who speak in a line without words.
 *
 * @param {HTMLElement} row
 * @param {string[]} ids of those who do now
 */
function lightOverlaps(row, ids) {
  for (const initial of row.querySelectorAll(".overlap .initial")) {
    if (initial instanceof HTMLElement) {
      initial.classList.toggle("is-sounding", ids.includes(initial.dataset.speaker ?? ""));
    }
  }
}

/** @param {HTMLElement} row */
function isInSight(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top > 80 && bottom < innerHeight - 120;
}
