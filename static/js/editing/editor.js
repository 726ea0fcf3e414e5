// Correcting a transcript in place, while the meeting runs and afterwards.

/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Edits } from "./edits.js" */
/** @import { Action } from "./keys.js" */

import { RequestError } from "../lib/api.js";
import { fill, gettext } from "../lib/words.js";
import { actionOf } from "./keys.js";
import { LineField } from "./line-field.js";

const SAVE_AFTER_MS = 2000;

export class Editor {
  /** @type {LineField | null} of the line that is being written */
  field = null;
  /** The text of that line before anything was written. */
  opened = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /** @type {((before: string, after: string) => void) | undefined} told of what was corrected */
  corrected;

  /** @param {{view: SessionView, edits: Edits}} parts */
  constructor({ view, edits }) {
    this.view = view;
    this.edits = edits;
    addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.save());
    addEventListener("beforeunload", (event) => this.field?.isDirty && event.preventDefault());
  }

  /**
   * Edit a line. A new line that is left empty goes away again.
   *
   * @param {number} id
   * @param {number} [caret] the character before which the cursor goes
   * @param {{isNew?: boolean}} [options]
   */
  async edit(id, caret = Infinity, { isNew = false } = {}) {
    if (this.field?.id === id) {
      this.field.placeCaret(caret);
      return;
    }
    await this.close();
    // What could not be saved stays open, in front of its writer.
    if (this.field) this.field.area.focus();
    else this.open(id, isNew)?.placeCaret(caret);
  }

  /**
   * @param {number} id
   * @param {boolean} isNew
   */
  open(id, isNew) {
    const line = this.view.transcript.byId.get(id);
    const row = this.view.transcriptView.rows.get(id);
    this.opened = line?.asr ?? "";
    this.field = line && row ? new LineField(line, row, { isNew, listener: this }) : null;
    return this.field;
  }

  /** Save, and show the line as text again. */
  async close() {
    const { field } = this;
    if (field && (await this.save()) && this.field === field) this.leave(field);
  }

  /** @param {LineField} field */
  leave(field) {
    clearTimeout(this.timer);
    this.field = null; // first: removing a field that has the focus blurs it
    field.remove();
    const { asr } = this.view.transcript.byId.get(field.id) ?? field.base;
    if (!field.isNew && asr !== this.opened && asr === field.sent) this.corrected?.(this.opened, asr);
    if (field.isUntouchedNew) this.edits.try(() => ({ kind: "remove", seen: this.edits.seen(field) }));
  }

  // Listener of the field.

  wantsSplit() {
    if (this.field) this.splitAtCursor(this.field);
  }

  typed() {
    this.field?.grow();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER_MS);
    this.field?.say("");
  }

  blurred() {
    // The field may only have lost the focus to another window, or to the conflict's buttons.
    setTimeout(() => {
      if (this.field && !this.field.row.contains(document.activeElement) && document.hasFocus()) this.close();
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { field } = this;
    const action = field && actionOf(event, field.area);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    this.act(action, field);
  }

  // Saving.

  /** Returns whether nothing unsaved is left. */
  async save() {
    const { field } = this;
    if (!field?.isDirty) return true;
    if (field.isInConflict) return false;
    clearTimeout(this.timer);
    const { text } = field;
    if (!text) {
      field.say(gettext("A line cannot be empty; remove it instead."));
      return false;
    }
    field.say(gettext("Saving…"));
    return this.send(field, text);
  }

  /**
   * @param {LineField} field
   * @param {string} text
   * @returns {Promise<boolean>} whether nothing unsaved is left
   */
  async send(field, text) {
    try {
      field.sent = text;
      await this.edits.do(() => ({ kind: "text", seen: { line: field.id, revision: field.base.revision }, text }));
      field.base = this.view.transcript.byId.get(field.id) ?? field.base;
      field.say(gettext("Saved"));
      return true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return this.failed(field, error);
    }
  }

  /**
   * @param {LineField} field
   * @param {RequestError} error
   * @returns {Promise<boolean>} whether nothing unsaved is left
   */
  async failed(field, error) {
    if (error.status !== 409) {
      field.say(error.message);
      return false;
    }
    // Only a speaker may have changed: what was written is then saved on top of it.
    const now = this.view.transcript.byId.get(field.id);
    if (now && now.asr === field.base.asr) {
      field.base = now;
      return this.save();
    }
    this.showConflict(field, now);
    return false;
  }

  // Somebody else.

  /** @param {KnownLine} line which reads differently now */
  lineChanged(line) {
    const { field } = this;
    if (field?.id !== line.id) return;
    if (line.asr === field.base.asr || line.asr === field.sent || !field.isDirty) {
      if (!field.isDirty) field.setText(line.asr);
      field.base = line;
    } else {
      this.showConflict(field, line);
    }
  }

  /**
   * Keep what is being written where it was, until its writer decides.
   *
   * @param {KnownLine} line
   * @param {number} index where it was
   */
  lineRemoved(line, index) {
    const { field } = this;
    if (field?.id !== line.id) return;
    if (!field.isDirty) {
      this.leave(field);
      return;
    }
    const { container } = this.view.transcriptView;
    container.insertBefore(field.row, container.children[index] ?? null);
    this.showConflict(field, undefined);
  }

  /**
   * @param {LineField} field
   * @param {KnownLine | undefined} line as it reads now; undefined if it was removed
   */
  showConflict(field, line) {
    if (!line) {
      field.showConflict(gettext("Someone else has removed this line in the meantime."), {
        onTheirs: () => this.letGo(field),
        onMine: () => this.writeAgain(field),
      });
      return;
    }
    const text = gettext("Someone else has changed this line in the meantime. It now reads: “%(text)s”");
    field.showConflict(fill(text, { text: line.asr }), {
      onTheirs: () => this.resolve(field, line, line.asr),
      onMine: () => this.resolve(field, line, field.area.value),
    });
  }

  /**
   * @param {LineField} field
   * @param {KnownLine} line
   * @param {string} text which it shall have
   */
  async resolve(field, line, text) {
    field.note.hidden = true;
    field.base = line;
    field.setText(text);
    field.area.focus();
    await this.save();
  }

  /** @param {LineField} field whose line stays gone */
  letGo(field) {
    this.leave(field);
    field.row.remove();
  }

  /** @param {LineField} field whose text takes the place of the line that is gone */
  async writeAgain(field) {
    const { id, text } = field;
    if (!text || (await this.edits.try(() => ({ kind: "insert", after: id, text })))) this.letGo(field);
  }

  // Keys.

  /**
   * @param {Action} action
   * @param {LineField} field
   */
  act(action, field) {
    switch (action) {
      case "close":
        return this.finish(field);
      case "split":
        return this.splitAtCursor(field);
      case "cancel":
        return this.cancel(field);
      case "merge-before":
        return this.mergeWith(this.neighbour(field, -1), field, { isBefore: true });
      case "merge-after":
        return this.mergeWith(this.neighbour(field, 1), field, { isBefore: false });
      case "go-before":
        return this.goTo(this.neighbour(field, -1), Infinity);
      case "go-after":
        return this.goTo(this.neighbour(field, 1), 0);
    }
  }

  /** @param {LineField} field */
  cancel(field) {
    field.area.value = field.base.asr;
    this.leave(field);
    field.row.focus();
  }

  /**
   * Save and stop editing; the line keeps the focus, for the keys of whoever reads.
   *
   * @param {LineField} field
   */
  async finish(field) {
    await this.close();
    if (this.field === null) field.row.focus({ preventScroll: true });
  }

  /** @param {LineField} field */
  async splitAtCursor(field) {
    const [first, second] = field.sides;
    if (first && second) await this.split(field, first, second);
    else field.say(gettext("Put the cursor where the line shall be split."));
  }

  /**
   * @param {LineField} field
   * @param {string} first
   * @param {string} second
   */
  async split(field, first, second) {
    clearTimeout(this.timer);
    const seen = { line: field.id, revision: field.base.revision };
    const answer = await this.edits.try(() => ({ kind: "split", seen, first, second }));
    if (!answer) return;
    this.leave(field);
    const made = answer.lines.find((line) => line.id !== field.id);
    if (made) await this.edit(made.id, 0);
  }

  /**
   * @param {KnownLine | undefined} other
   * @param {LineField} field
   * @param {{isBefore: boolean}} options
   */
  async mergeWith(other, field, { isBefore }) {
    if (!other || !(await this.save())) return;
    const line = this.view.transcript.byId.get(field.id);
    if (!line) return;
    const [first, second] = isBefore ? [other, line] : [line, other];
    const caret = first.asr.length;
    const answer = await this.edits.try(() => ({
      kind: "merge",
      seen: this.edits.seen(first),
      following: this.edits.seen(second),
    }));
    if (!answer) return;
    if (this.field) this.leave(this.field);
    await this.edit(first.id, caret);
  }

  /**
   * @param {KnownLine | undefined} other
   * @param {number} caret
   */
  async goTo(other, caret) {
    if (other) await this.edit(other.id, caret);
    else await this.close();
  }

  /**
   * @param {LineField} field
   * @param {number} step
   * @returns {KnownLine | undefined}
   */
  neighbour(field, step) {
    const { lines } = this.view.transcript;
    const found = lines[lines.findIndex((line) => line.id === field.id) + step];
    return found && this.view.transcriptView.isShown(found) ? found : undefined; // nobody writes what they do not see
  }
}
