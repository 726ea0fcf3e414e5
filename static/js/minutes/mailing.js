// Minutes by e-mail: who gets them, and what they get, is shown before anything is sent.

/** @import { PageData } from "../connection/messages.js" */

import { getJson, postJson, sessionUrl } from "../lib/api.js";
import { byId, element } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext, ngettext } from "../lib/words.js";

/** @typedef {{id: number, name: string, address: string}} Recipient */

export class Mailing {
  /** @param {PageData} data */
  constructor(data) {
    this.url = sessionUrl(data, "minutes/mail");
    this.dialog = byId("mail-dialog", HTMLDialogElement);
    this.people = byId("mail-people");
    this.dialog.addEventListener("close", () => {
      if (this.dialog.returnValue === "send") this.send();
    });
    this.people.addEventListener("change", () => this.offerToSend());
  }

  /** Show to whom it can go, and what; nothing is sent yet. */
  async open() {
    const shown = await answerOrSayWhy(getJson(this.url));
    if (!shown) return;
    this.people.replaceChildren(
      ...shown.people.map((/** @type {Recipient} */ person) => recipient(person)),
      ...(shown.people.length ? [] : [element("p", { class: "hint" }, gettext("None of them has an address."))]),
    );
    byId("mail-text").textContent = `${shown.subject}\n\n${shown.text}`;
    byId("mail-tasks").hidden = !shown.has_tasks;
    this.offerToSend();
    this.dialog.returnValue = "";
    this.dialog.showModal();
  }

  chosen() {
    const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (this.people.querySelectorAll("input:checked"));
    return [...boxes].map(({ value }) => Number(value));
  }

  offerToSend() {
    byId("mail-send", HTMLButtonElement).disabled = !this.chosen().length;
  }

  async send() {
    const answer = await answerOrSayWhy(postJson(this.url, { people: this.chosen() }));
    if (!answer) return;
    const { sent, refused } = answer;
    const text = ngettext("Sent to one person.", "Sent to %(count)s people.", sent);
    const not = fill(gettext("The mail server does not take the address of: %(names)s"), { names: refused.join(", ") });
    toast([fill(text, { count: sent }), refused.length ? not : ""].filter(Boolean).join(" "), {
      isError: refused.length > 0,
    });
  }
}

/** @param {Recipient} person */
function recipient({ id, name, address }) {
  return element(
    "label",
    { class: "check" },
    element("input", { type: "checkbox", value: id, checked: true }),
    element("span", {}, name, " ", element("span", { class: "hint" }, address)),
  );
}
