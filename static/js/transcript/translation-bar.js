// Another language below the lines: shown or not, and for whoever may edit, into which one a language model translates.

/** @import { PageData } from "../connection/messages.js" */
/** @import { SessionView } from "./session-view.js" */

import { getJson, postJson, sessionUrl } from "../lib/api.js";
import { byId, element, findById, setText } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { fill, gettext, ngettext } from "../lib/words.js";

const LOOK_MS = 3000;

/**
 * How it stands, as the server tells.
 *
 * @typedef {object} TranslationState
 * @property {string} model
 * @property {string} server
 * @property {string} language
 * @property {boolean} is_on
 * @property {boolean} is_forbidden
 * @property {number} left lines that are not translated yet
 * @property {string} error
 * @property {[code: string, name: string][]} choices
 */

export class TranslationBar {
  /** @type {TranslationState | null} */
  state = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /** @param {{data: PageData, view: SessionView}} parts */
  constructor({ data, view }) {
    this.url = sessionUrl(data, "translation");
    this.view = view;
    this.mayChoose = Boolean(data.mayTranslate) && findById("translation-language") !== null;
    byId("translation-show").addEventListener("change", () => this.show());
    if (this.mayChoose) this.setUpChoice();
    this.show();
  }

  // Companion of the view.

  translationsChanged() {
    this.show();
    if (this.mayChoose) this.look();
  }

  show() {
    const { language } = this.view.translations;
    const isShown = byId("translation-show", HTMLInputElement).checked;
    byId("lines").classList.toggle("hides-translation", !isShown);
    byId("translation-shown").hidden = !language;
    findById("export-translation")?.toggleAttribute("hidden", !language);
    byId("translation").hidden = !language && !(this.state && !this.state.is_forbidden);
  }

  // For whoever may have it translated.

  setUpChoice() {
    this.select = byId("translation-language", HTMLSelectElement);
    this.dialog = byId("translation-dialog", HTMLDialogElement);
    this.select.addEventListener("change", () => this.choose());
    this.dialog.addEventListener("close", () => {
      if (this.dialog?.returnValue === "send") this.send();
      else this.fillChoice();
    });
    this.look();
  }

  async look() {
    this.receive(await answerOrSayWhy(getJson(this.url)));
  }

  /** Nothing is sent before somebody has read where to. */
  choose() {
    if (!this.select?.value) {
      this.send();
      return;
    }
    const where = gettext(
      "All that was said in this meeting, and all that is said from now on, goes to the model %(model)s on %(server)s.",
    );
    const { model = "", server = "" } = this.state ?? {};
    byId("translation-where").textContent = fill(where, { model, server });
    if (!this.dialog) return;
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  async send() {
    this.receive(await answerOrSayWhy(postJson(this.url, { language: this.select?.value ?? "" })));
  }

  /** @param {TranslationState | undefined} state */
  receive(state) {
    if (!state) return;
    this.state = state;
    byId("translation-choice").hidden = state.is_forbidden;
    if (!this.dialog?.open) this.fillChoice();
    const left = ngettext("%(count)s line is left", "%(count)s lines are left", state.left);
    setText(byId("translation-state"), state.error || (state.left ? fill(left, { count: state.left }) : ""));
    clearTimeout(this.timer);
    if (state.left) this.timer = setTimeout(() => this.look(), LOOK_MS);
    this.show();
  }

  fillChoice() {
    const { choices = [], language = "", is_on: isOn = false } = this.state ?? {};
    this.select?.replaceChildren(
      element("option", { value: "" }, gettext("No translation")),
      ...choices.map(([code, name]) =>
        element("option", { value: code, lang: code, selected: isOn && code === language }, name),
      ),
    );
  }
}
