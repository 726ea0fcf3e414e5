// Taking a session away, and letting others read it: export, links, and what else a meeting's menu has.

/** @import { PageData } from "../connection/messages.js" */
/** @import { SessionView } from "../transcript/session-view.js" */

import { postJson, sessionUrl } from "../lib/api.js";
import { byId, findById } from "../lib/dom.js";
import { onDemand } from "../lib/on-demand.js";
import { openMenu } from "../lib/popover.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { gettext } from "../lib/words.js";

/** @typedef {{data: PageData, view: SessionView, showRemoved: (() => void) | null}} Parts */

/** @param {Parts} parts */
export function setUpSharing(parts) {
  const { data } = parts;
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  if (findById("export-dialog")) new ExportDialog(data);
  if (findById("share-dialog")) setUpShareDialog(data);
  const opener = byId("more-open");
  opener.addEventListener("click", () => openMenu(opener, more(parts)));
}

/** @param {Parts} parts */
function more({ data, view, showRemoved }) {
  const mayEnd = data.rights.includes("send") && view.isLive;
  const deletion = findById("delete-dialog", HTMLDialogElement);
  return [
    { label: gettext("Captions"), action: () => open(sessionUrl(data, "captions/"), "_blank", "noopener") },
    { label: gettext("Keyboard"), action: () => byId("help", HTMLDialogElement).showModal() },
    { label: gettext("Print"), action: () => print() },
    showRemoved !== null && { label: gettext("Removed lines"), action: showRemoved },
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

/** @param {PageData} data */
function setUpShareDialog(data) {
  const sharing = onDemand(
    () => import("./share-dialog.js"),
    ({ ShareDialog }) => new ShareDialog(data),
  );
  byId("share-open").addEventListener("click", () => sharing((dialog) => dialog.open()));
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
      minutes: Number(chosen.has("minutes")),
      translation: Number(chosen.has("translation")),
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
