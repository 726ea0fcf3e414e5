// Sharing a meeting with people and teams of this installation, each with a right of their own.

/** @import { PageData } from "../connection/messages.js" */

import { getJson, postJson, sessionUrl } from "../lib/api.js";
import { byId, element } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { fill, gettext } from "../lib/words.js";

/** @typedef {{kind: "user" | "team", id: number, name: string}} Party */
/** @typedef {Party & {level: string}} Share */
/** @typedef {{shares: Share[], found: Party[]}} Answer */

export class PeopleSharing {
  /** @param {PageData} data */
  constructor(data) {
    this.data = data;
    this.name = byId("share-name", HTMLInputElement);
    this.level = byId("share-level", HTMLSelectElement);
    this.name.addEventListener("input", () => this.load());
    byId("share-with").addEventListener("submit", (event) => event.preventDefault());
  }

  /** Ask with whom the meeting is shared, and who has the name that is typed. */
  async load() {
    const text = this.name.value.trim();
    const answer = await getJson(sessionUrl(this.data, "shares", text ? { q: text } : {}));
    if (text === this.name.value.trim()) this.show(answer, text);
  }

  /**
   * @param {Answer} answer
   * @param {string} text
   */
  show({ shares, found }, text) {
    byId("shares").replaceChildren(...shares.map((share) => this.row(share)));
    const none = text && !found.length ? [element("li", { class: "hint" }, gettext("Nobody else has this name."))] : [];
    byId("share-found").replaceChildren(...found.map((party) => this.offer(party)), ...none);
  }

  /** @param {Share} share */
  row(share) {
    const level = /** @type {HTMLSelectElement} */ (this.level.cloneNode(true));
    level.removeAttribute("id");
    level.value = share.level;
    level.setAttribute("aria-label", fill(gettext("What %(name)s may do"), { name: share.name }));
    level.addEventListener("change", () => this.change(share, level.value));
    const remove = () => this.change(share, null);
    return element(
      "li",
      {},
      this.label(share),
      level,
      element("button", { type: "button", class: "quiet", onclick: remove }, gettext("Remove")),
    );
  }

  /** @param {Party} party */
  offer(party) {
    const share = () => this.change(party, this.level.value);
    return element(
      "li",
      {},
      this.label(party),
      element("button", { type: "button", class: "primary", onclick: share }, gettext("Share")),
    );
  }

  /** @param {Party} party */
  label({ kind, name }) {
    return element("span", {}, name, kind === "team" && element("span", { class: "hint" }, ` ${gettext("team")}`));
  }

  /**
   * @param {Party} party
   * @param {string | null} level null to share no longer
   */
  async change({ kind, id }, level) {
    const answer = await answerOrSayWhy(postJson(sessionUrl(this.data, "shares"), { kind, id, level }));
    if (!answer) return;
    this.show(answer, "");
    this.name.value = "";
    this.name.focus();
  }
}
