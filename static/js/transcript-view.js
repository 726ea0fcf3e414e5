// A transcript on the page. Lines once shown never move; what is being said stands dimmed behind them.

import { clock } from "./clock.js";
import { element } from "./dom.js";
import { VoiceColours } from "./voices.js";
import { languageOf, speakerName } from "./words.js";

export class TranscriptView {
  // `container` takes the lines, `tail` what is being said.
  constructor(container, tail, { onChange = () => {} } = {}) {
    this.container = container;
    this.tail = tail;
    this.onChange = onChange;
    this.colours = new VoiceColours();
    this.rows = new Map();
  }

  // The whole transcript at once: quicker than line by line, and not read aloud.
  show(lines) {
    this.container.setAttribute("aria-live", "off");
    const rows = lines.map((line) => this.makeRow(line));
    this.container.replaceChildren(...rows);
    lines.forEach((line, index) => this.setContinued(index, lines));
    requestAnimationFrame(() => this.container.setAttribute("aria-live", "polite"));
    this.onChange();
  }

  // Transcript listener.

  added(line, index, lines) {
    const row = this.makeRow(line);
    this.container.insertBefore(row, this.container.children[index] ?? null);
    this.setContinued(index, lines);
    this.setContinued(index + 1, lines);
    this.onChange(row);
  }

  changed(line, before, index, lines) {
    this.colours.rename(before.spk.speaker_id, line.spk.speaker_id);
    this.fill(this.rows.get(line.id), line);
    this.setContinued(index, lines);
    this.setContinued(index + 1, lines);
    this.onChange();
  }

  removed(line, index, lines) {
    this.rows.get(line.id)?.remove();
    this.rows.delete(line.id);
    this.setContinued(index, lines);
    this.onChange();
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
      { class: "line", id: `line-${line.id}`, dataset: { line: line.id } },
      element("p", { class: "speaker" }, element("span", { class: "initial", "aria-hidden": "true" }), element("span", { class: "name" })),
      element("span", { class: "time" }),
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
    setText(row.querySelector(".name"), name);
    setText(row.querySelector(".initial"), [...name][0] ?? "");
    setText(row.querySelector(".time"), clock(line.start_ms));
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
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
