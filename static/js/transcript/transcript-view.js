// A transcript on the page. Lines once shown never move; what is being said stands dimmed behind them.

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { VoiceColours } from "./voices.js";
import { fill, gettext, languageOf, speakerInitial, speakerName } from "../lib/words.js";

export class TranscriptView {
  // `container` takes the lines, `tail` what is being said; `speakers` are known from before.
  constructor(container, tail, speakers) {
    this.container = container;
    this.tail = tail;
    this.colours = new VoiceColours(speakers);
    this.rows = new Map();
    this.playing = null;
    container.addEventListener("keydown", (event) => this.moveFocus(event));
    container.addEventListener("focusin", ({ target }) => this.setCurrent(target.closest(".line")));
  }

  // The whole transcript at once: quicker than line by line, and not read aloud.
  show(lines) {
    this.container.setAttribute("aria-live", "off");
    const rows = lines.map((line) => this.makeRow(line));
    this.container.replaceChildren(...rows);
    lines.forEach((line, index) => this.setContinued(index, lines));
    this.setCurrent(rows[0]);
    requestAnimationFrame(() => this.container.setAttribute("aria-live", "polite"));
  }

  // Transcript listener.

  added(line, index, lines) {
    const row = this.makeRow(line);
    this.container.insertBefore(row, this.container.children[index] ?? null);
    this.setContinued(index, lines);
    this.setContinued(index + 1, lines);
    if (!this.current?.isConnected) this.setCurrent(row);
  }

  changed(line, before, index, lines) {
    this.colours.rename(before.spk.speaker_id, line.spk.speaker_id);
    this.fill(this.rows.get(line.id), line);
    this.setContinued(index, lines);
    this.setContinued(index + 1, lines);
  }

  removed(line, index, lines) {
    const row = this.rows.get(line.id);
    this.rows.delete(line.id);
    if (row === this.current) this.setCurrent(row.nextElementSibling ?? row.previousElementSibling);
    row.remove();
    this.setContinued(index, lines);
  }

  // All that changes together has come: it can be told who is whose new name. Returns whether colours changed.
  settleColours(lines) {
    const separate = this.colours.separate(new Set(lines.map((line) => line.spk.speaker_id)));
    for (const line of lines) if (separate.includes(line.spk.speaker_id)) this.fill(this.rows.get(line.id), line);
    return separate.length > 0;
  }

  setPartial(text) {
    this.tail.hidden = !text;
    if (this.tail.textContent !== text) this.tail.textContent = text;
    this.tail.lang = languageOf(text);
  }

  // Rows.

  makeRow(line) {
    const row = element(
      "div",
      { class: "line", id: `line-${line.id}`, role: "group", tabindex: -1, dataset: { line: line.id } },
      element("p", { class: "speaker" }, element("span", { class: "initial", "aria-hidden": "true" }), element("span", { class: "name" })),
      element("button", { class: "time", type: "button", tabindex: -1, dataset: { action: "play" } }),
      element("p", { class: "text" }),
    );
    this.rows.set(line.id, row);
    this.fill(row, line);
    return row;
  }

  fill(row, line) {
    const name = speakerName(line.spk);
    const voice = `voice-${this.colours.of(line.spk.speaker_id)}`;
    for (const old of [...row.classList]) if (old.startsWith("voice-") && old !== voice) row.classList.remove(old);
    row.classList.add(voice);
    row.classList.toggle("is-edited", Boolean(line.edited));
    row.setAttribute("aria-label", `${name}, ${clock(line.start_ms)}`);
    setText(row.querySelector(".name"), name);
    setText(row.querySelector(".initial"), speakerInitial(line.spk));
    const time = row.querySelector(".time");
    setText(time, clock(line.start_ms));
    time.setAttribute("aria-label", fill(gettext("Play from %(time)s"), { time: clock(line.start_ms) }));
    const text = row.querySelector(".text");
    setText(text, line.asr);
    text.lang = languageOf(line.asr);
  }

  // A speaker who goes on is not named again.
  setContinued(index, lines) {
    const line = lines[index];
    if (!line) return;
    const before = lines[index - 1];
    const isContinued = Boolean(before) && before.spk.speaker_id === line.spk.speaker_id;
    this.rows.get(line.id).classList.toggle("is-continued", isContinued);
  }

  textNodeOf(line) {
    return this.rows.get(line.id)?.querySelector(".text").firstChild ?? null;
  }

  // The colour of a line's voice, as the page has it now.
  colourOf(line) {
    const colour = line ? this.colours.of(line.spk.speaker_id) : 0;
    this.probe ??= this.container.parentElement.appendChild(element("i", { hidden: true }));
    this.probe.className = `voice-${colour} voice-probe`;
    return getComputedStyle(this.probe).color;
  }

  // One line at a time can be reached by the Tab key; arrows go from line to line.

  setCurrent(row) {
    if (!row || row === this.current) return;
    this.current?.setAttribute("tabindex", -1);
    this.current = row;
    row.setAttribute("tabindex", 0);
  }

  moveFocus(event) {
    const row = event.target;
    if (!row.classList.contains("line")) return;
    const next = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling }[event.key];
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    next.focus();
  }

  // The line that is being heard.

  setPlaying(line, { follow }) {
    const row = line ? this.rows.get(line.id) : null;
    if (row === this.playing) return;
    this.playing?.classList.remove("is-playing");
    this.playing = row ?? null;
    row?.classList.add("is-playing");
    if (row && follow && !isInSight(row)) row.scrollIntoView({ block: "center", behavior: "smooth" });
  }
}

function isInSight(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top > 80 && bottom < innerHeight - 120;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
