// Correcting a transcript in place, while the meeting runs and afterwards.

import { RequestError } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { fill, gettext, languageOf } from "../lib/words.js";

const SAVE_AFTER_MS = 2000;

// What a line says that was inserted and not written yet.
export const NEW_LINE = "…";

export class Editor {
  constructor({ view, edits }) {
    this.view = view;
    this.edits = edits;
    this.open = null; // { id, base, row, field, note, status }
    addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.save());
    addEventListener("beforeunload", (event) => this.isDirty && event.preventDefault());
  }

  // Edit a line; the cursor goes to this character. A new line that is left empty goes away again.
  async edit(id, caret = Infinity, { isNew = false } = {}) {
    if (this.open?.id === id) return this.placeCaret(caret);
    await this.close();
    const line = this.view.transcript.byId.get(id);
    const row = this.view.view.rows.get(id);
    if (!line || !row) return undefined;
    const field = element("textarea", { class: "text-field", rows: 1, lang: languageOf(line.asr), "aria-label": gettext("Text of this line"), spellcheck: "true" });
    const note = element("div", { class: "conflict", role: "alert", hidden: true });
    const status = element("p", { class: "edit-status", role: "status" }, gettext("Enter splits the line, Esc takes back what is not saved."));
    field.value = isNew ? "" : line.asr;
    row.append(field, note, status);
    row.classList.add("is-editing");
    field.addEventListener("input", () => this.typed());
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.blurred());
    this.open = { id, base: line, row, field, note, status, isNew };
    this.grow();
    this.placeCaret(caret);
    return undefined;
  }

  get isDirty() {
    if (!this.open) return false;
    const { isNew, base, field } = this.open;
    const text = plain(field.value);
    return text !== base.asr && !(isNew && !text && base.asr === NEW_LINE);
  }

  // Save, and show the line as text again.
  async close() {
    const { open } = this;
    if (!open) return;
    if (!(await this.save())) return;
    if (this.open === open) this.leave();
  }

  leave() {
    const { id, base, row, field, note, status, isNew } = this.open;
    clearTimeout(this.timer);
    this.open = null; // first: removing a field that has the focus blurs it
    row.classList.remove("is-editing");
    for (const part of [field, note, status]) part.remove();
    if (isNew && base.asr === NEW_LINE) this.edits.try(() => ({ kind: "remove", seen: this.edits.seen({ id }) }));
  }

  blurred() {
    // The field may only have lost the focus to another window, or to the conflict's buttons.
    setTimeout(() => {
      if (this.open && !this.open.row.contains(document.activeElement) && document.hasFocus()) this.close();
    });
  }

  // Saving.

  typed() {
    this.grow();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER_MS);
    this.say("");
  }

  // Returns whether nothing unsaved is left.
  async save() {
    const { open } = this;
    if (!open || !this.isDirty) return true;
    if (!open.note.hidden) return false;
    clearTimeout(this.timer);
    const text = plain(open.field.value);
    if (!text) {
      this.say(gettext("A line cannot be empty; remove it instead."));
      return false;
    }
    this.say(gettext("Saving…"));
    try {
      open.sent = text;
      await this.edits.do(() => ({ kind: "text", seen: { line: open.id, revision: open.base.revision }, text }));
      open.base = this.view.transcript.byId.get(open.id) ?? open.base;
      this.say(gettext("Saved"));
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return this.failed(open, error);
    }
  }

  failed(open, error) {
    if (error.status !== 409) {
      this.say(error.message);
      return false;
    }
    // Only a speaker may have changed: what was written is then saved on top of it.
    const now = this.view.transcript.byId.get(open.id);
    if (now && now.asr === open.base.asr) {
      open.base = now;
      return this.save();
    }
    this.showConflict(now);
    return false;
  }

  say(text) {
    if (this.open) this.open.status.textContent = text;
  }

  // Somebody else.

  // The line that is being edited reads differently now.
  lineChanged(line) {
    const { open } = this;
    if (!open || open.id !== line.id) return;
    if (line.asr === open.base.asr || line.asr === open.sent || !this.isDirty) {
      if (!this.isDirty) open.field.value = line.asr;
      open.base = line;
      this.grow();
    } else {
      this.showConflict(line);
    }
  }

  // What is being written here stays until its writer decides, where it was.
  lineRemoved(line, index) {
    if (this.open?.id !== line.id) return;
    if (!this.isDirty) {
      this.leave();
      return;
    }
    const { container } = this.view.view;
    container.insertBefore(this.open.row, container.children[index] ?? null);
    this.showConflict(null);
  }

  showConflict(line) {
    const { open } = this;
    const theirs = line
      ? fill(gettext("Somebody else has changed this line meanwhile. It reads now: “%(text)s”"), { text: line.asr })
      : gettext("Somebody else has removed this line meanwhile.");
    open.note.hidden = false;
    open.note.replaceChildren(
      element("p", {}, theirs),
      element("button", { type: "button", onclick: () => this.resolve(line, line?.asr) }, gettext("Take theirs")),
      element("button", { type: "button", onclick: () => this.resolve(line, open.field.value) }, gettext("Keep mine")),
    );
    this.say("");
  }

  resolve(line, text) {
    const { open } = this;
    if (!line) return this.resolveRemoval(text);
    open.note.hidden = true;
    open.base = line;
    open.field.value = text;
    this.grow();
    open.field.focus();
    return this.save();
  }

  // `text` takes the place of the line that is gone; without it, the line stays gone.
  async resolveRemoval(text) {
    const { id, row } = this.open;
    if (text && !(await this.edits.try(() => ({ kind: "insert", after: id, text: plain(text) })))) return;
    this.leave();
    row.remove();
  }

  // Keys. Input methods compose with Enter, arrows and Escape: those are theirs.

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const { field } = this.open;
    const isModified = event.ctrlKey || event.metaKey || event.altKey;
    const hasSelection = field.selectionStart !== field.selectionEnd;
    const atStart = field.selectionEnd === 0;
    const atEnd = field.selectionStart === field.value.length;
    const actions = {
      Enter: () => (isModified || event.shiftKey ? this.close() : this.enter()),
      Escape: () => this.cancel(),
      Backspace: !isModified && !hasSelection && atStart && (() => this.mergeWith(-1)),
      Delete: !isModified && !hasSelection && atEnd && (() => this.mergeWith(1)),
      ArrowUp: !isModified && atStart && (() => this.goTo(-1)),
      ArrowDown: !isModified && atEnd && (() => this.goTo(1)),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }

  cancel() {
    const { row, field, base } = this.open;
    field.value = base.asr;
    this.leave();
    row.focus();
  }

  // In the middle of the text: split there. At its end: on to the next line.
  async enter() {
    const { id, field } = this.open;
    const first = plain(field.value.slice(0, field.selectionStart));
    const second = plain(field.value.slice(field.selectionEnd));
    if (!second) return this.goTo(1);
    if (!first) return undefined;
    const { revision } = this.open.base;
    clearTimeout(this.timer);
    const answer = await this.edits.try(() => ({ kind: "split", seen: { line: id, revision }, first, second }));
    if (!answer) return undefined;
    this.leave();
    const made = answer.lines.find((line) => line.id !== id);
    return this.edit(made.id, 0);
  }

  async mergeWith(step) {
    const other = this.neighbour(step);
    if (!other || !(await this.save())) return;
    const line = this.view.transcript.byId.get(this.open.id);
    const [first, second] = step < 0 ? [other, line] : [line, other];
    const caret = first.asr.length;
    const answer = await this.edits.try(() => ({ kind: "merge", seen: this.edits.seen(first), following: this.edits.seen(second) }));
    if (!answer) return;
    if (this.open) this.leave();
    await this.edit(first.id, caret);
  }

  async goTo(step) {
    const other = this.neighbour(step);
    if (other) await this.edit(other.id, step < 0 ? Infinity : 0);
    else await this.close();
  }

  neighbour(step) {
    const { lines, byId } = this.view.transcript;
    return lines[lines.indexOf(byId.get(this.open.id)) + step];
  }

  // The field.

  placeCaret(caret) {
    const { field } = this.open;
    field.focus();
    const place = Math.min(caret, field.value.length);
    field.setSelectionRange(place, place);
  }

  grow() {
    const { field } = this.open;
    field.style.setProperty("height", "auto");
    field.style.setProperty("height", `${field.scrollHeight + 2}px`);
  }
}

// As the server keeps it.
function plain(text) {
  return text.trim().split(/\s+/).join(" ");
}
