// Taking a session away, and letting others read it: the dialogs of export, links and deletion.

/** @import { PageData } from "../connection/messages.js" */
/** @import { RemovedDialog } from "../editing/removed-dialog.js" */
/** @import { SessionView } from "../transcript/session-view.js" */

import { getJson, postJson, sessionUrl } from "../lib/api.js";
import { byId, descendant, element, findById } from "../lib/dom.js";
import { dayText } from "../lib/moments.js";
import { openMenu } from "../lib/popover.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";
import { PeopleSharing } from "./people-sharing.js";

/** @typedef {{data: PageData, view: SessionView, removed: RemovedDialog | null}} Parts */

/** @param {Parts} parts */
export function setUpSharing(parts) {
  const { data } = parts;
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  if (findById("export-dialog")) new ExportDialog(data);
  if (findById("share-dialog")) new ShareDialog(data, new PeopleSharing(data));
  const opener = byId("more-open");
  opener.addEventListener("click", () => openMenu(opener, more(parts)));
}

/** @param {Parts} parts */
function more({ data, view, removed }) {
  const mayEnd = data.rights.includes("send") && view.isLive;
  const deletion = findById("delete-dialog", HTMLDialogElement);
  return [
    { label: gettext("Captions"), action: () => open(sessionUrl(data, "captions/"), "_blank", "noopener") },
    { label: gettext("Keyboard"), action: () => byId("help", HTMLDialogElement).showModal() },
    { label: gettext("Print"), action: () => print() },
    removed !== null && { label: gettext("Removed lines"), action: () => removed.open() },
    data.mayGoOn &&
      !view.isLive && {
        label: gettext("Record more…"),
        action: () => location.assign(sessionUrl(data, "../../record/", { continues: data.key })),
      },
    mayEnd && { label: gettext("End this meeting"), action: () => end(data) },
    deletion !== null &&
      !view.isLive && { label: gettext("Delete…"), isDangerous: true, action: () => deletion.showModal() },
  ];
}

/** @param {PageData} data */
async function end(data) {
  const question = gettext(
    "End this meeting for everyone? More can be recorded only in another one, which goes on with it.",
  );
  if (confirm(question)) await answerOrSayWhy(postJson(sessionUrl(data, "end"), {}));
}

class ExportDialog {
  /** @param {PageData} data */
  constructor(data) {
    this.data = data;
    this.dialog = byId("export-dialog", HTMLDialogElement);
    this.form = byId("export-form", HTMLFormElement);
    byId("export-open").addEventListener("click", () => this.dialog.showModal());
    byId("copy-text").addEventListener("click", () => this.copy());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dialog.close();
      const format = String(new FormData(this.form).get("format"));
      if (format === "paper") open(this.address("../paper/"), "_blank", "noopener");
      else location.assign(this.address(format));
    });
  }

  /** @param {string} format */
  address(format) {
    const chosen = new FormData(this.form);
    return sessionUrl(this.data, `export/${format}`, {
      times: Number(chosen.has("times")),
      speakers: Number(chosen.has("speakers")),
      notes: Number(chosen.has("notes")),
    });
  }

  async copy() {
    const text = await (await fetch(this.address("txt"))).text();
    this.dialog.close();
    try {
      await navigator.clipboard.writeText(text);
      toast(gettext("The transcript was copied."));
    } catch {
      toast(gettext("This browser only lets secure pages (https) copy."), { isError: true });
    }
  }
}

/**
 * @typedef {{id: number, name: string, expires_at: string | null, last_used_at: string | null, url?: string}} Link
 */

class ShareDialog {
  /** @type {Link[]} */
  links = [];

  /**
   * @param {PageData} data
   * @param {PeopleSharing} people
   */
  constructor(data, people) {
    this.data = data;
    this.people = people;
    this.dialog = byId("share-dialog", HTMLDialogElement);
    this.url = byId("new-link-url", HTMLInputElement);
    const form = byId("share-form", HTMLFormElement);
    const days = descendant(form, "[name=days]", HTMLSelectElement);
    byId("share-open").addEventListener("click", () => this.open());
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
