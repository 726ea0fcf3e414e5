// Finding in this transcript, and replacing with a preview of every line that would change.

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { places } from "./find.js";
import { fill, gettext, languageOf, ngettext } from "../lib/words.js";

const byId = (id) => document.getElementById(id);
const MOST_SHOWN = 500;

export class Finder {
  // `edits` is null where there is no right to edit.
  constructor({ view, edits }) {
    this.view = view;
    this.edits = edits;
    this.panel = byId("finder");
    this.field = byId("find-text");
    this.replacement = byId("find-replacement");
    this.highlight = globalThis.Highlight ? new Highlight() : null;
    if (this.highlight) CSS.highlights.set("found", this.highlight);
    this.left = new Set(); // lines that shall stay as they are
    byId("find-open").addEventListener("click", () => this.toggle());
    byId("find-close").addEventListener("click", () => this.close());
    byId("find-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.goTo(1);
    });
    for (const input of [this.field, this.replacement, byId("find-case")]) input?.addEventListener("input", () => this.search());
    byId("replace-button")?.addEventListener("click", () => this.replace());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.close();
    });
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.panel.hidden = false;
    byId("find-open").setAttribute("aria-expanded", "true");
    this.field.focus();
    this.field.select();
    this.search();
  }

  close() {
    this.panel.hidden = true;
    byId("find-open").setAttribute("aria-expanded", "false");
    this.highlight?.clear();
    byId("find-open").focus();
  }

  transcriptChanged() {
    if (this.isOpen) this.search();
  }

  get matchesCase() {
    return byId("find-case").checked;
  }

  search() {
    const find = this.field.value;
    this.hits = [];
    for (const line of this.view.transcript.lines) {
      const found = places(line.asr, find, this.matchesCase);
      if (found.length) this.hits.push({ line, found });
    }
    if (find !== this.searched) {
      this.left.clear();
      this.at = -1;
      this.searched = find;
    }
    this.show(find);
  }

  show(find) {
    const count = this.hits.reduce((sum, { found }) => sum + found.length, 0);
    byId("find-count").textContent = find ? fill(ngettext("%(count)s place", "%(count)s places", count), { count }) : "";
    this.highlight?.clear();
    for (const { line, found } of this.hits) {
      const node = this.view.view.textNodeOf(line);
      for (const [begin, stop] of found) if (node && stop <= node.length) this.highlight?.add(rangeOf(node, begin, stop));
    }
    byId("find-list").replaceChildren(...this.hits.slice(0, MOST_SHOWN).map((hit, index) => this.row(hit, index)));
    this.showReplace();
  }

  row({ line, found }, index) {
    const isReplacing = Boolean(this.edits) && this.replacement.value !== "";
    return element(
      "li",
      { class: index === this.at ? "is-current" : undefined },
      isReplacing &&
        element("input", {
          type: "checkbox",
          checked: !this.left.has(line.id),
          "aria-label": gettext("Replace in this line"),
          onchange: ({ target }) => {
            this.left[target.checked ? "delete" : "add"](line.id);
            this.showReplace();
          },
        }),
      element(
        "button",
        { type: "button", class: "hit", onclick: () => this.goToHit(index) },
        element("span", { class: "hit-time" }, clock(line.start_ms)),
        element("span", { lang: languageOf(line.asr) }, ...excerpt(line.asr, found, isReplacing ? this.replacement.value : null)),
      ),
    );
  }

  goTo(step) {
    if (this.hits.length) this.goToHit((this.at + step + this.hits.length) % this.hits.length);
  }

  goToHit(index) {
    this.at = index;
    [...byId("find-list").children].forEach((row, at) => row.classList.toggle("is-current", at === index));
    const row = this.view.view.rows.get(this.hits[index].line.id);
    row.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  // Replacing.

  get chosen() {
    return this.hits.filter(({ line }) => !this.left.has(line.id)).map(({ line }) => line);
  }

  showReplace() {
    const button = byId("replace-button");
    if (!button) return;
    const count = this.chosen.length;
    button.disabled = !count || this.replacement.value === "";
    button.textContent = fill(ngettext("Replace in %(count)s line", "Replace in %(count)s lines", count), { count });
  }

  async replace() {
    const lines = this.chosen;
    const done = fill(ngettext("%(count)s line was changed.", "%(count)s lines were changed.", lines.length), { count: lines.length });
    await this.edits.try(
      () => ({
        kind: "replace",
        find: this.field.value,
        replacement: this.replacement.value,
        matches_case: this.matchesCase,
        lines: lines.map((line) => this.edits.seen(line)),
      }),
      { done },
    );
    this.search();
  }
}

// The text around its first hit, with all hits marked, or shown as they would be replaced.
function excerpt(text, found, replacement) {
  const parts = [];
  let from = Math.max(0, found[0][0] - 12);
  if (from) parts.push("…");
  for (const [begin, stop] of found) {
    parts.push(text.slice(from, begin));
    if (replacement === null) parts.push(element("mark", {}, text.slice(begin, stop)));
    else parts.push(element("del", {}, text.slice(begin, stop)), element("ins", {}, replacement));
    from = stop;
  }
  parts.push(text.slice(from));
  return parts;
}

function rangeOf(node, begin, stop) {
  const range = new Range();
  range.setStart(node, begin);
  range.setEnd(node, stop);
  return range;
}

