// Taking a session away, and letting others read it: the dialogs of export, links and deletion.

import { getJson, postJson, RequestError, sessionUrl } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { openMenu } from "../lib/popover.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";

const byId = (id) => document.getElementById(id);

export function setUpSharing({ data, view }) {
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  if (byId("export-dialog")) new ExportDialog(data);
  if (byId("share-dialog")) new ShareDialog(data);
  byId("more-open").addEventListener("click", ({ currentTarget }) => openMenu(currentTarget, more(data, view)));
}

function more(data, view) {
  const may = (right) => data.rights.includes(right);
  return [
    { label: gettext("Captions"), action: () => open(sessionUrl(data, "captions/"), "_blank", "noopener") },
    { label: gettext("Keyboard"), action: () => byId("help").showModal() },
    { label: gettext("Print"), action: () => print() },
    may("send") && view.isLive && { label: gettext("End this session"), action: () => end(data) },
    byId("delete-dialog") && { label: gettext("Delete…"), isDangerous: true, action: () => byId("delete-dialog").showModal() },
  ];
}

async function end(data) {
  if (!confirm(gettext("End this session for everybody? It cannot go on afterwards."))) return;
  try {
    await postJson(sessionUrl(data, "end"), {});
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    toast(error.message, { isError: true });
  }
}

class ExportDialog {
  constructor(data) {
    this.data = data;
    this.form = byId("export-form");
    byId("export-open").addEventListener("click", () => byId("export-dialog").showModal());
    byId("copy-text").addEventListener("click", () => this.copy());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      byId("export-dialog").close();
      location.assign(this.address(this.form.elements.format.value));
    });
  }

  address(format) {
    const { times, speakers } = this.form.elements;
    return sessionUrl(this.data, `export/${format}`, { times: Number(times.checked), speakers: Number(speakers.checked) });
  }

  async copy() {
    const text = await (await fetch(this.address("txt"))).text();
    byId("export-dialog").close();
    try {
      await navigator.clipboard.writeText(text);
      toast(gettext("The transcript was copied."));
    } catch {
      toast(gettext("This browser lets only secure pages (https) copy."), { isError: true });
    }
  }
}

class ShareDialog {
  constructor(data) {
    this.data = data;
    byId("share-open").addEventListener("click", () => this.open());
    byId("share-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.make(event.target.elements.days.value);
    });
    byId("copy-link").addEventListener("click", () => this.copy());
  }

  async open() {
    byId("new-link").hidden = true;
    this.show((await getJson(sessionUrl(this.data, "links"))).links);
    byId("share-dialog").showModal();
  }

  async make(days) {
    const link = await postJson(sessionUrl(this.data, "links"), { days: days ? Number(days) : null });
    byId("new-link").hidden = false;
    byId("new-link-url").value = link.url;
    byId("new-link-url").select();
    this.show([link, ...this.links]);
  }

  async copy() {
    byId("new-link-url").select();
    try {
      await navigator.clipboard.writeText(byId("new-link-url").value);
    } catch {
      document.execCommand("copy"); // the page is not secure; this still works there
    }
    byId("copy-link").textContent = gettext("Copied");
  }

  show(links) {
    this.links = links;
    byId("links").replaceChildren(...links.map((link) => this.row(link)));
  }

  row(link) {
    const until = link.expires_at
      ? fill(gettext("until %(day)s"), { day: new Date(link.expires_at).toLocaleDateString(document.documentElement.lang) })
      : gettext("until revoked");
    return element(
      "li",
      {},
      element("span", {}, link.name, " ", element("span", { class: "hint" }, until)),
      element("button", { type: "button", class: "danger", onclick: () => this.revoke(link) }, gettext("Revoke")),
    );
  }

  async revoke(link) {
    this.show((await postJson(sessionUrl(this.data, `links/${link.id}/revoke`), {})).links);
    byId("new-link").hidden = true;
  }
}
