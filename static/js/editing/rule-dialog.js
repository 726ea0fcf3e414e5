// A correction that is to hold from now on: what is heard, what is written, and where.

/** @import { PageData } from "../connection/messages.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Edits } from "./edits.js" */

import { getJson, postJson, RequestError, sessionUrl } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext, ngettext } from "../lib/words.js";

const MAX_TEXT = 2000;

/** @typedef {{wrong: string, right: string}} Rule */
/** @typedef {{rule: Rule | null, may_everywhere?: boolean}} Proposal */

export class RuleDialog {
  /** @param {{data: PageData, view: SessionView, edits: Edits}} parts */
  constructor({ data, view, edits }) {
    this.data = data;
    this.view = view;
    this.edits = edits;
    this.wrong = field(() => this.count());
    this.right = field(() => {});
    this.here = element("input", { type: "radio", name: "where", checked: true });
    this.everywhere = element("input", { type: "radio", name: "where" });
    this.everywhereLabel = element("label", { class: "check" }, this.everywhere, gettext("in every meeting"));
    this.others = element("input", { type: "checkbox", checked: true });
    this.othersText = element("span", {});
    this.othersLabel = element("label", { class: "check" }, this.others, this.othersText);
    this.status = element("p", { class: "error", role: "alert" });
    this.dialog = element("dialog", { class: "rule-dialog", "aria-labelledby": "rule-title" }, this.makeForm());
    document.body.append(this.dialog);
  }

  makeForm() {
    const form = element(
      "form",
      { class: "stacked" },
      element("h2", { id: "rule-title" }, gettext("Always write it so")),
      element("p", { class: "hint" }, gettext("In lines to come; each change is marked, and what was heard is kept.")),
      element("label", {}, gettext("Heard"), this.wrong),
      element("label", {}, gettext("Write instead"), this.right),
      element(
        "fieldset",
        { class: "where" },
        element("legend", { class: "visually-hidden" }, gettext("Where")),
        element("label", { class: "check" }, this.here, gettext("in this meeting")),
        this.everywhereLabel,
      ),
      this.othersLabel,
      this.status,
      element(
        "div",
        { class: "dialog-buttons" },
        element("button", { type: "button", onclick: () => this.dialog.close() }, gettext("Cancel")),
        element("button", { class: "primary" }, gettext("Save")),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
    });
    return form;
  }

  /**
   * Offer a rule for a line that somebody has corrected, where there is one in it.
   *
   * @param {string} before
   * @param {string} after
   */
  async offer(before, after) {
    if (before.length > MAX_TEXT || after.length > MAX_TEXT) return;
    const query = new URLSearchParams({ before, after });
    /** @type {Proposal} */
    let proposal;
    try {
      proposal = await getJson(sessionUrl(this.data, `rules/propose?${query}`));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return; // the correction is saved: only the offer is missing
    }
    const { rule, may_everywhere: mayEverywhere = false } = proposal;
    if (!rule) return;
    toast(fill(gettext("“%(wrong)s” was corrected: “%(right)s”"), { ...rule }), {
      action: gettext("Always write it so"),
      onAction: () => this.open(rule, mayEverywhere),
    });
  }

  /**
   * @param {Rule} rule
   * @param {boolean} mayEverywhere
   */
  open(rule, mayEverywhere) {
    this.wrong.value = rule.wrong;
    this.right.value = rule.right;
    this.everywhereLabel.hidden = !mayEverywhere;
    this.here.checked = true;
    this.status.textContent = "";
    this.count();
    this.dialog.showModal();
    this.right.focus();
  }

  /** @returns {KnownLine[]} lines that say what is wrong */
  get linesWithIt() {
    const wrong = this.wrong.value.trim();
    return wrong ? this.view.transcript.lines.filter((line) => line.asr.includes(wrong)) : [];
  }

  count() {
    const { length } = this.linesWithIt;
    const text = ngettext(
      "also in %(count)s line of this meeting that says it now",
      "also in %(count)s lines of this meeting that say it now",
      length,
    );
    this.othersText.textContent = fill(text, { count: length });
    this.othersLabel.hidden = length === 0;
  }

  async keep() {
    const [wrong, right] = [this.wrong.value.trim(), this.right.value.trim()];
    try {
      await postJson(sessionUrl(this.data, "rules"), { wrong, right, everywhere: this.everywhere.checked });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.status.textContent = error.message;
      return;
    }
    this.dialog.close();
    const lines = this.others.checked ? this.linesWithIt.map((line) => this.edits.seen(line)) : [];
    if (lines.length) {
      await answerOrSayWhy(
        this.edits.do(() => ({ kind: "replace", find: wrong, replacement: right, matches_case: true, lines })),
      );
    }
    toast(fill(gettext("From now on: %(wrong)s → %(right)s"), { wrong, right }));
  }
}

/** @param {() => void} onInput */
function field(onInput) {
  const made = element("input", { required: true, maxlength: 60, autocomplete: "off", spellcheck: "false" });
  made.addEventListener("input", onInput);
  return made;
}
