// Links to a meeting, and the people and teams that it is shared with.

/** @import { PageData } from "../connection/messages.js" */

import { getJson, postJson, sessionUrl } from "../lib/api.js";
import { byId, descendant, element } from "../lib/dom.js";
import { dayText } from "../lib/moments.js";
import { fill, gettext } from "../lib/words.js";
import { PeopleSharing } from "./people-sharing.js";

/**
 * @typedef {{id: number, name: string, expires_at: string | null, last_used_at: string | null, url?: string}} Link
 */

export class ShareDialog {
  /** @type {Link[]} */
  links = [];

  /** @param {PageData} data */
  constructor(data) {
    this.data = data;
    this.people = new PeopleSharing(data);
    this.dialog = byId("share-dialog", HTMLDialogElement);
    this.url = byId("new-link-url", HTMLInputElement);
    const form = byId("share-form", HTMLFormElement);
    const days = descendant(form, "[name=days]", HTMLSelectElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make(days.value);
    });
    byId("copy-link").addEventListener("click", () => this.copy());
  }

  async open() {
    byId("new-link").hidden = true;
    this.show((await getJson(sessionUrl(this.data, "links"))).links);
    await this.people.load();
    this.dialog.showModal();
  }

  /** @param {string} days empty for a link that works until it is revoked */
  async make(days) {
    /** @type {Link & {url: string}} */
    const link = await postJson(sessionUrl(this.data, "links"), { days: days ? Number(days) : null });
    byId("new-link").hidden = false;
    this.url.value = link.url;
    this.url.select();
    this.show([link, ...this.links]);
  }

  async copy() {
    this.url.select();
    try {
      await navigator.clipboard.writeText(this.url.value);
    } catch {
      document.execCommand("copy"); // the page is not secure; this still works there
    }
    byId("copy-link").textContent = gettext("Copied");
  }

  /** @param {Link[]} links */
  show(links) {
    this.links = links;
    byId("links").replaceChildren(...links.map((link) => this.row(link)));
  }

  /** @param {Link} link */
  row(link) {
    const until = link.expires_at
      ? fill(gettext("until %(day)s"), { day: dayText(link.expires_at) })
      : gettext("until revoked");
    const used = link.last_used_at
      ? fill(gettext("last used %(day)s"), { day: dayText(link.last_used_at) })
      : gettext("not used yet");
    return element(
      "li",
      {},
      element("span", {}, link.name, " ", element("span", { class: "hint" }, `${until} · ${used}`)),
      element("button", { type: "button", class: "danger", onclick: () => this.revoke(link) }, gettext("Revoke")),
    );
  }

  /** @param {Link} link */
  async revoke(link) {
    this.show((await postJson(sessionUrl(this.data, `links/${link.id}/revoke`), {})).links);
    byId("new-link").hidden = true;
  }
}
