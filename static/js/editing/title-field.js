// The session's title, corrected in place.

/** @import { Edits } from "./edits.js" */

import { byId, element, setWindowTitle } from "../lib/dom.js";
import { gettext } from "../lib/words.js";

const MAX_LENGTH = 200;

export class TitleField {
  /** @type {HTMLInputElement | null} */
  field = null;

  /** @param {{edits: Edits}} parts */
  constructor({ edits }) {
    this.edits = edits;
    this.heading = byId("title");
    byId("rename").addEventListener("click", () => this.open());
  }

  get title() {
    return this.heading.dataset.title ?? "";
  }

  open() {
    if (this.field) return;
    const field = element("input", {
      class: "title-field",
      maxlength: MAX_LENGTH,
      value: this.title,
      "aria-label": gettext("Title"),
    });
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.close(true));
    this.field = field;
    this.heading.hidden = true;
    this.heading.after(field);
    field.focus();
    field.select();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.close(true);
    if (event.key === "Escape") this.close(false);
  }

  /** @param {boolean} saves */
  async close(saves) {
    const { field, title: seen } = this;
    if (!field) return;
    this.field = null; // first: removing a field that has the focus blurs it
    const title = field.value.trim();
    field.remove();
    this.heading.hidden = false;
    if (!saves || title === seen) return;
    if (!(await this.edits.try(() => ({ kind: "title", seen, title })))) return;
    this.heading.dataset.title = title;
    this.heading.textContent = title || (this.heading.dataset.untitled ?? "");
    setWindowTitle(this.heading.textContent);
  }
}
