// The form in which a note is written: one at a time, saved by Enter.

import { clock } from "../lib/clock.js";
import { byId } from "../lib/dom.js";

/**
 * @typedef {object} Writing
 * @property {number} ms where the note belongs
 * @property {string} text that it has so far
 * @property {(text: string) => object} request what is asked of the server with the new text
 */

export class NoteForm {
  /** @type {Writing | null} what is being written; null while it is on its way */
  writing = null;

  /** @param {(request: object) => Promise<number | undefined>} send answers with the note's key, or nothing if it failed */
  constructor(send) {
    this.send = send;
    this.form = byId("note-form", HTMLFormElement);
    this.field = byId("note-text", HTMLTextAreaElement);
    byId("note-cancel").addEventListener("click", () => this.close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {Writing} writing */
  open(writing) {
    this.writing = writing;
    this.form.hidden = false;
    byId("note-moment").textContent = clock(writing.ms);
    this.field.value = writing.text;
    this.field.focus();
  }

  close() {
    if (this.form.hidden) return;
    this.form.hidden = true;
    this.writing = null;
    byId("note-add").focus();
  }

  async save() {
    const { writing } = this;
    const text = this.field.value.trim();
    if (!text || !writing) return;
    this.writing = null; // Enter once more makes no second note
    const isSaved = (await this.send(writing.request(text))) !== undefined;
    if (this.writing) return; // another one is being written by now
    if (isSaved) this.close();
    else this.writing = writing;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key) || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") this.save();
    else this.close();
  }
}
