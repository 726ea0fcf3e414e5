// The text field that stands in a line's place while it is corrected, with what is said about it.

/** @import { KnownLine } from "../transcript/transcript.js" */

import { element } from "../lib/dom.js";
import { gettext, languageOf } from "../lib/words.js";
import { oneLine } from "./requests.js";

/** The text of a line that was inserted and not written yet. */
export const NEW_LINE = "…";

/**
 * @typedef {object} FieldListener
 * @property {() => void} typed
 * @property {(event: KeyboardEvent) => void} key
 * @property {() => void} blurred
 * @property {() => void} wantsSplit
 */

export class LineField {
  /** @type {string | undefined} the text that was sent to the server last */
  sent;

  /**
   * @param {KnownLine} line
   * @param {HTMLElement} row of it
   * @param {{isNew: boolean, listener: FieldListener}} parts
   */
  constructor(line, row, { isNew, listener }) {
    this.id = line.id;
    /** The line as its writer saw it. */
    this.base = line;
    this.row = row;
    this.isNew = isNew;
    this.area = element("textarea", {
      class: "text-field",
      rows: 1,
      lang: languageOf(line.asr),
      "aria-label": gettext("Text of this line"),
      spellcheck: "true",
    });
    this.note = element("div", { class: "conflict", role: "alert", hidden: true });
    this.status = element(
      "p",
      { class: "edit-status", role: "status" },
      gettext("Enter saves, Shift+Enter splits the line at the cursor, Esc takes back what is not saved."),
    );
    this.splitButton = element("button", { type: "button", class: "quiet split-here" }, gettext("Split at the cursor"));
    this.area.value = isNew ? "" : line.asr;
    this.foot = element("div", { class: "edit-foot" }, this.status, this.splitButton);
    row.append(this.area, this.note, this.foot);
    row.classList.add("is-editing");
    this.area.addEventListener("input", () => listener.typed());
    this.area.addEventListener("keydown", (event) => listener.key(event));
    this.area.addEventListener("blur", () => listener.blurred());
    // The keyboard of a telephone has no Shift+Enter; the field keeps its cursor, and the telephone its keyboard.
    this.splitButton.addEventListener("pointerdown", (event) => event.preventDefault());
    this.splitButton.addEventListener("click", () => listener.wantsSplit());
    this.grow();
  }

  get text() {
    return oneLine(this.area.value);
  }

  /** Text on either side of the selection. */
  get sides() {
    const { value, selectionStart, selectionEnd } = this.area;
    return [oneLine(value.slice(0, selectionStart)), oneLine(value.slice(selectionEnd))];
  }

  get isUntouchedNew() {
    return this.isNew && this.base.asr === NEW_LINE;
  }

  get isDirty() {
    return this.text !== this.base.asr && !(this.isUntouchedNew && !this.text);
  }

  get isInConflict() {
    return !this.note.hidden;
  }

  /** @param {string} text */
  setText(text) {
    this.area.value = text;
    this.grow();
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /**
   * Say what somebody else has done, and ask what shall become of it.
   *
   * @param {string} text
   * @param {{onTheirs: () => void, onMine: () => void}} answers
   */
  showConflict(text, { onTheirs, onMine }) {
    this.note.hidden = false;
    this.note.replaceChildren(
      element("p", {}, text),
      element("button", { type: "button", onclick: onTheirs }, gettext("Use theirs")),
      element("button", { type: "button", onclick: onMine }, gettext("Keep mine")),
    );
    this.say("");
  }

  /** @param {number} caret a character; the end if there are fewer */
  placeCaret(caret) {
    this.area.focus();
    const place = Math.min(caret, this.area.value.length);
    this.area.setSelectionRange(place, place);
  }

  grow() {
    this.area.style.setProperty("height", "auto");
    this.area.style.setProperty("height", `${this.area.scrollHeight + 2}px`);
  }

  remove() {
    this.row.classList.remove("is-editing");
    for (const part of [this.area, this.note, this.foot]) part.remove();
  }
}
