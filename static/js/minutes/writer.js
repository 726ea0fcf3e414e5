// A language model that writes minutes, where one is set up: what is sent is shown first, and then how far it is.

/** @import { PageData } from "../connection/messages.js" */
/** @import { WriterState } from "./minutes.js" */

import { getJson, sessionUrl } from "../lib/api.js";
import { byId, element, setText } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { fill, gettext, ngettext } from "../lib/words.js";

const LOOK_MS = 3000;

export class Writer {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  isAlong = false;

  /** @param {{data: PageData, panel: {send: (request: object) => Promise<any>, load: () => Promise<boolean>}}} parts */
  constructor({ data, panel }) {
    this.data = data;
    this.panel = panel;
    this.dialog = byId("writer-dialog", HTMLDialogElement);
    this.template = byId("writer-template", HTMLSelectElement);
    byId("writer-ask").addEventListener("click", () => this.ask());
    byId("writer-stop").addEventListener("click", () => panel.send({ kind: "stop" }));
    byId("writer-away").addEventListener("click", () => panel.send({ kind: "unwrite" }));
    byId("writer-never", HTMLInputElement).addEventListener("change", ({ target }) => {
      const isForbidden = target instanceof HTMLInputElement && target.checked;
      panel.send({ kind: isForbidden ? "forbid" : "allow" });
    });
    this.dialog.addEventListener("close", () => {
      if (this.dialog.returnValue === "send") panel.send({ kind: "write", template: Number(this.template.value) });
    });
    this.template.addEventListener("change", () => this.showRequest());
  }

  /** Show what would be sent, and send nothing yet. */
  async ask() {
    if (!(await this.showRequest())) return;
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  /** Show what is sent by the chosen template. */
  async showRequest() {
    const template = this.template.value;
    const shown = await answerOrSayWhy(getJson(sessionUrl(this.data, "minutes/request", { template })));
    if (!shown) return false;
    const where = this.isAlong
      ? gettext("From now until its end, or until you stop that, all lines go to the model %(model)s on %(server)s.")
      : ngettext(
          "One request of about %(tokens)s tokens goes to the model %(model)s on %(server)s.",
          "%(count)s requests of about %(tokens)s tokens in all go to the model %(model)s on %(server)s.",
          shown.requests.length,
        );
    byId("writer-where").textContent = fill(where, { ...shown, count: shown.requests.length });
    byId("writer-text").textContent = shown.requests
      .map((/** @type {string[]} */ texts) => texts.join("\n\n"))
      .join("\n\n———\n\n");
    return true;
  }

  /** @param {WriterState["templates"]} templates */
  fillTemplates(templates) {
    byId("writer-templates").hidden = !templates.length;
    this.template.replaceChildren(
      element("option", { value: 0 }, gettext("The team’s, or none")),
      ...templates.map(({ id, name, is_chosen: selected }) => element("option", { value: id, selected }, name)),
    );
  }

  /** @param {WriterState} state */
  show(state) {
    const { job } = state;
    this.isAlong = state.is_along;
    if (!this.dialog.open) this.fillTemplates(state.templates);
    setText(
      byId("writer-ask"),
      state.is_along ? gettext("Let a language model take notes…") : gettext("Write with a language model…"),
    );
    const isAtWork = job !== null && job.is_at_work;
    byId("minutes-writer").hidden = false;
    byId("writer-ask").hidden = isAtWork || state.is_forbidden;
    byId("writer-never", HTMLInputElement).checked = state.is_forbidden;
    byId("writer-stop").hidden = !isAtWork;
    byId("writer-away").hidden = isAtWork || !state.has_written;
    byId("minutes-honest").hidden = state.has_written;
    this.showProgress(state, isAtWork);
    clearTimeout(this.timer);
    if (isAtWork && !this.isAlong) this.timer = setTimeout(() => this.panel.load(), LOOK_MS);
  }

  /**
   * @param {WriterState} state
   * @param {boolean} isAtWork
   */
  showProgress({ job, model }, isAtWork) {
    const bar = byId("writer-progress", HTMLProgressElement);
    bar.hidden = !isAtWork || this.isAlong;
    if (job?.steps) {
      bar.max = job.steps;
      bar.value = job.done;
    } else {
      bar.removeAttribute("value");
    }
    const text = this.isAlong ? gettext("%(model)s takes notes every few minutes.") : gettext("%(model)s is writing…");
    const isWriting = isAtWork ? fill(text, { model }) : "";
    byId("writer-state").textContent = [isWriting, job?.error].filter(Boolean).join(" ");
  }
}
