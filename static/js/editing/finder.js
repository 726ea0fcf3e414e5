// Finding in this transcript, and replacing with a preview of every line that would change.

/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Edits } from "./edits.js" */
/** @import { Place } from "./find.js" */

import { clock } from "../lib/clock.js";
import { byId, element, findById, rangeOf } from "../lib/dom.js";
import { fill, gettext, languageOf, ngettext } from "../lib/words.js";
import { excerpt, places } from "./find.js";

const MAX_SHOWN = 500;

/** @typedef {{line: KnownLine, found: Place[]}} Hit */

export class Finder {
  /** @type {Hit[]} */
  hits = [];
  at = -1;
  /** @type {string | undefined} */
  searched;
  /** @type {Set<number>} lines that shall stay as they are */
  left = new Set();

  /** @param {{view: SessionView, edits: Edits | null}} parts `edits` is null where there is no right to edit */
  constructor({ view, edits }) {
    this.view = view;
    this.edits = edits;
    this.panel = byId("finder");
    this.field = byId("find-text", HTMLInputElement);
    this.caseBox = byId("find-case", HTMLInputElement);
    this.list = byId("find-list");
    this.opener = byId("find-open");
    this.replacement = findById("find-replacement", HTMLInputElement);
    this.replaceButton = findById("replace-button", HTMLButtonElement);
    this.highlight = globalThis.Highlight ? new Highlight() : null;
    if (this.highlight) CSS.highlights.set("found", this.highlight);
    this.listen();
  }

  listen() {
    this.opener.addEventListener("click", () => this.toggle());
    byId("find-close").addEventListener("click", () => this.close());
    byId("find-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.goTo(1);
    });
    for (const input of [this.field, this.replacement, this.caseBox]) {
      input?.addEventListener("input", () => this.search());
    }
    this.replaceButton?.addEventListener("click", () => this.replace());
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
    this.opener.setAttribute("aria-expanded", "true");
    this.field.focus();
    this.field.select();
    this.search();
  }

  close() {
    this.panel.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.highlight?.clear();
    this.opener.focus();
  }

  transcriptChanged() {
    if (this.isOpen) this.search();
  }

  /** What hits are replaced with; "" where nothing is. */
  get replacing() {
    return this.edits && this.replacement ? this.replacement.value : "";
  }

  search() {
    const find = this.field.value;
    this.hits = this.view.transcript.lines
      .map((line) => ({ line, found: places(line.asr, find, this.caseBox.checked) }))
      .filter(({ found }) => found.length);
    if (find !== this.searched) {
      this.left.clear();
      this.at = -1;
      this.searched = find;
    }
    this.show(find);
  }

  /** @param {string} find */
  show(find) {
    const count = this.hits.reduce((sum, { found }) => sum + found.length, 0);
    byId("find-count").textContent = find
      ? fill(ngettext("%(count)s match", "%(count)s matches", count), { count })
      : "";
    this.mark();
    this.list.replaceChildren(...this.hits.slice(0, MAX_SHOWN).map((hit, index) => this.row(hit, index)));
    this.showReplace();
  }

  mark() {
    this.highlight?.clear();
    for (const { line, found } of this.hits) {
      const node = this.view.transcriptView.textNodeOf(line);
      for (const [begin, stop] of found) {
        if (node && stop <= node.length) this.highlight?.add(rangeOf(node, begin, stop));
      }
    }
  }

  /**
   * @param {Hit} hit
   * @param {number} index
   */
  row({ line, found }, index) {
    return element(
      "li",
      { class: index === this.at && "is-current" },
      this.replacing && this.choice(line),
      element(
        "button",
        { type: "button", class: "hit", onclick: () => this.goToHit(index) },
        element("span", { class: "hit-time" }, clock(line.start_ms)),
        element("span", { lang: languageOf(line.asr) }, ...preview(line.asr, found, this.replacing)),
      ),
    );
  }

  /** @param {KnownLine} line */
  choice(line) {
    const box = element("input", {
      type: "checkbox",
      checked: !this.left.has(line.id),
      "aria-label": gettext("Replace in this line"),
    });
    box.addEventListener("change", () => {
      this.left[box.checked ? "delete" : "add"](line.id);
      this.showReplace();
    });
    return box;
  }

  /** @param {number} step */
  goTo(step) {
    if (this.hits.length) this.goToHit((this.at + step + this.hits.length) % this.hits.length);
  }

  /** @param {number} index */
  goToHit(index) {
    this.at = index;
    [...this.list.children].forEach((row, at) => row.classList.toggle("is-current", at === index));
    const { line } = this.hits[index];
    if (!this.view.transcriptView.isShown(line)) this.view.showOnly([]);
    const row = this.view.transcriptView.rows.get(line.id);
    row?.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  // Replacing.

  get chosen() {
    return this.hits.filter(({ line }) => !this.left.has(line.id)).map(({ line }) => line);
  }

  showReplace() {
    if (!this.replaceButton) return;
    const count = this.chosen.length;
    this.replaceButton.disabled = !count || !this.replacing;
    this.replaceButton.textContent = fill(ngettext("Replace in %(count)s line", "Replace in %(count)s lines", count), {
      count,
    });
  }

  async replace() {
    const { edits, replacing } = this;
    const lines = this.chosen;
    const done = fill(ngettext("%(count)s line was changed.", "%(count)s lines were changed.", lines.length), {
      count: lines.length,
    });
    await edits?.try(
      () => ({
        kind: "replace",
        find: this.field.value,
        replacement: replacing,
        matches_case: this.caseBox.checked,
        lines: lines.map((line) => edits.seen(line)),
      }),
      { done },
    );
    this.search();
  }
}

/**
 * Return the text around its first hit, with all hits marked, or shown as they would be replaced.
 *
 * @param {string} text
 * @param {Place[]} found
 * @param {string} replacing
 */
function preview(text, found, replacing) {
  return excerpt(text, found).flatMap((part) => {
    if (part.kind === "plain") return part.text;
    if (!replacing) return element("mark", {}, part.text);
    return [element("del", {}, part.text), element("ins", {}, replacing)];
  });
}
