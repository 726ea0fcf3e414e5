// Every version of a line: who wrote it, when, what changed, and a way back.

import { getJson, sessionUrl } from "../lib/api.js";
import { difference } from "./difference.js";
import { element } from "../lib/dom.js";
import { fill, gettext, languageOf } from "../lib/words.js";

const WHAT = {
  machine: () => gettext("recognised"),
  text: () => gettext("text"),
  replace: () => gettext("find and replace"),
  speaker: () => gettext("speaker"),
  split: () => gettext("split"),
  merge: () => gettext("merged"),
  insert: () => gettext("inserted"),
  remove: () => gettext("removed"),
  restore: () => gettext("restored"),
};

export class VersionsDialog {
  constructor({ data, edits }) {
    this.data = data;
    this.edits = edits;
    this.list = element("ol", { class: "versions" });
    this.dialog = element(
      "dialog",
      { class: "wide", "aria-labelledby": "versions-title" },
      element("h2", { id: "versions-title" }, gettext("Earlier versions")),
      this.list,
      element("form", { method: "dialog", class: "dialog-buttons" }, element("button", {}, gettext("Close"))),
    );
    document.body.append(this.dialog);
  }

  async open(line) {
    const { versions, machine_text: machineText } = await getJson(sessionUrl(this.data, `lines/${line.id}/versions`));
    if (!versions.length) versions.push({ version: null, by: "", at: null, what: "machine", text: machineText, speaker: "" });
    const items = versions.map((version, index) => this.item(line, version, versions[index + 1], index === 0));
    this.list.replaceChildren(...items);
    this.dialog.showModal();
  }

  item(line, version, earlier, isNow) {
    const when = version.at ? new Date(version.at).toLocaleString(document.documentElement.lang) : "";
    const what = WHAT[version.what]?.() ?? version.what;
    const by = version.by || gettext("the machine");
    const parts = earlier ? difference(earlier.text, version.text) : [["same", version.text]];
    return element(
      "li",
      { class: "version" },
      element("p", { class: "version-head" }, element("strong", {}, by), ` ${what}`, element("span", { class: "hint" }, when)),
      element(
        "p",
        { lang: languageOf(version.text) },
        ...parts.map(([kind, text]) => (kind === "same" ? text : element(kind === "added" ? "ins" : "del", {}, text))),
      ),
      version.speaker && element("p", { class: "hint" }, fill(gettext("Speaker: %(name)s"), { name: version.speaker })),
      isNow || !version.version
        ? null
        : element("button", { type: "button", onclick: () => this.restore(line, version) }, gettext("Restore this version")),
    );
  }

  async restore(line, { version }) {
    this.dialog.close();
    await this.edits.try(() => ({ kind: "restore", lines: [{ ...this.edits.seen(line), version }] }), {
      done: gettext("The earlier version is back."),
    });
  }
}
