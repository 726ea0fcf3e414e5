// The session's title, corrected in place.

import { element } from "../lib/dom.js";
import { gettext } from "../lib/words.js";

const byId = (id) => document.getElementById(id);

export class TitleField {
  constructor({ edits }) {
    this.edits = edits;
    this.heading = byId("title");
    byId("rename").addEventListener("click", () => this.open());
  }

  open() {
    if (this.field) return;
    this.before = this.heading.dataset.title ?? "";
    this.field = element("input", { class: "title-field", maxlength: 200, value: this.before, "aria-label": gettext("Title") });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("blur", () => this.close(true));
    this.heading.hidden = true;
    this.heading.after(this.field);
    this.field.focus();
    this.field.select();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.close(true);
    if (event.key === "Escape") this.close(false);
  }

  async close(saves) {
    const { field } = this;
    if (!field) return;
    this.field = null;
    const title = field.value.trim();
    field.remove();
    this.heading.hidden = false;
    if (!saves || title === this.before) return;
    const answer = await this.edits.try(() => ({ kind: "title", seen: this.before, title }));
    if (!answer) return;
    this.heading.dataset.title = title;
    this.heading.textContent = title || this.heading.dataset.key;
    document.title = `${this.heading.textContent} · asrsite`;
  }
}
