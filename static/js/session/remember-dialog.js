// Remembering the voice of somebody who was named here, with their consent: later meetings recognise it then.

/** @import { PageData } from "../connection/messages.js" */

import { getJson, postJson, RequestError, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";

const ASK_AGAIN_MS = 1000;
const NOT_FOUND = 404;

/** @typedef {{name: string, speech_ms: number, recordings: number, has_consent: boolean, consent: string}} Question */

export class RememberDialog {
  /** @type {string} of whoever is asked about */
  speakerId = "";

  /** @param {{data: PageData}} parts */
  constructor({ data }) {
    this.data = data;
    this.title = element("h2", { id: "remember-title" });
    this.facts = element("p", {});
    this.consent = element("blockquote", { class: "consent" });
    this.agreed = element("input", { type: "checkbox", required: true });
    this.agreement = element(
      "label",
      { class: "check" },
      this.agreed,
      gettext("This person has read this text and agrees to it."),
    );
    this.status = element("p", { class: "hint", role: "status" });
    this.submit = element("button", { class: "primary" }, gettext("Remember"));
    this.closer = element("button", { type: "button", onclick: () => this.dialog.close() }, gettext("Not now"));
    this.form = this.makeForm();
    this.dialog = element("dialog", { class: "wide", "aria-labelledby": "remember-title" }, this.form);
    document.body.append(this.dialog);
  }

  makeForm() {
    const buttons = element("div", { class: "dialog-buttons" }, this.closer, this.submit);
    const parts = [this.title, this.facts, this.consent, this.agreement, this.status, buttons];
    const form = element("form", { class: "stacked" }, ...parts);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.remember();
    });
    return form;
  }

  /** @returns {string} */
  get address() {
    return sessionUrl(this.data, `voices/${encodeURIComponent(this.speakerId)}/remember`);
  }

  /** @param {string} speakerId of somebody with a name */
  async open(speakerId) {
    this.speakerId = speakerId;
    /** @type {Question} */
    const question = await getJson(this.address);
    this.show(question);
    this.dialog.showModal();
  }

  /** @param {Question} question */
  show({ name, speech_ms: speechMs, recordings, has_consent: hasConsent, consent }) {
    const values = { name, time: clock(speechMs) };
    const isFirst = recordings === 0;
    this.title.textContent = fill(gettext("Remember the voice of %(name)s?"), values);
    this.facts.textContent = isFirst
      ? fill(
          gettext("Later meetings then show this name by themselves. %(time)s of what was said here is kept for it."),
          values,
        )
      : fill(gettext("This voice is known already. %(time)s of what was said here makes it known better."), values);
    this.consent.textContent = consent;
    this.consent.hidden = hasConsent || !consent;
    this.agreement.hidden = hasConsent;
    this.agreed.required = !hasConsent;
    this.agreed.checked = false;
    this.status.replaceChildren();
    this.busy(false);
    this.submit.hidden = false;
    this.closer.textContent = gettext("Not now");
  }

  /** @param {boolean} isBusy */
  busy(isBusy) {
    this.submit.disabled = isBusy;
    this.agreed.disabled = isBusy;
  }

  async remember() {
    this.busy(true);
    this.status.textContent = gettext("Listening to what was said…");
    try {
      /** @type {{verdict: string, page: string}} */
      const draft = await postJson(this.address, { has_agreed: this.agreed.checked });
      await this.follow(draft);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.status.textContent = error.message;
      this.busy(false);
    }
  }

  /**
   * Wait for the verdict; a good recording is stored at once, and is no draft any more.
   *
   * @param {{verdict: string, page: string}} draft
   */
  async follow({ verdict, page }) {
    for (;;) {
      /** @type {{is_judged: boolean, has_failed: boolean}} */
      let progress;
      try {
        progress = await getJson(verdict);
      } catch (error) {
        if (!(error instanceof RequestError) || error.status !== NOT_FOUND) throw error;
        this.finish(gettext("This voice is remembered from now on."));
        return;
      }
      if (progress.is_judged || progress.has_failed) {
        const link = element("a", { href: page, target: "_blank", rel: "noopener" }, gettext("Listen and decide"));
        this.finish(gettext("Something speaks against this recording."), " ", link);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  /** @param {...(string | Node)} words */
  finish(...words) {
    this.status.replaceChildren(...words);
    this.submit.hidden = true;
    this.closer.textContent = gettext("Close");
  }
}
