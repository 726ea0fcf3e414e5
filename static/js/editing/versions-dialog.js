// Every version of a line: who wrote it, when, what changed, and a way back.

/** @import { PageData } from "../connection/messages.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Edits } from "./edits.js" */

import { getJson, sessionUrl } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { momentText } from "../lib/moments.js";
import { fill, gettext, languageOf } from "../lib/words.js";
import { difference } from "./difference.js";

/**
 * @typedef {object} Version
 * @property {number | null} version null for what the machine wrote
 * @property {string} by
 * @property {string | null} at
 * @property {string} what
 * @property {string} text
 * @property {string} speaker
 */

/** @type {Map<string, () => string>} */
const REASONS = new Map([
  ["machine", () => gettext("recognised")],
  ["text", () => gettext("text")],
  ["replace", () => gettext("find and replace")],
  ["speaker", () => gettext("speaker")],
  ["split", () => gettext("split")],
  ["merge", () => gettext("merged")],
  ["insert", () => gettext("inserted")],
  ["remove", () => gettext("removed")],
  ["restore", () => gettext("restored")],
]);

export class VersionsDialog {
  /** @param {{data: PageData, edits: Edits}} parts */
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

  /** @param {KnownLine} line */
  async open(line) {
    /** @type {{versions: Version[], machine_text: string}} */
    const { versions, machine_text: machineText } = await getJson(sessionUrl(this.data, `lines/${line.id}/versions`));
    if (!versions.length) {
      versions.push({ version: null, by: "", at: null, what: "machine", text: machineText, speaker: "" });
    }
    const items = versions.map((version, index) =>
      this.item(line, version, { earlier: versions[index + 1], isNow: index === 0 }),
    );
    this.list.replaceChildren(...items);
    this.dialog.showModal();
  }

  /**
   * @param {KnownLine} line
   * @param {Version} version
   * @param {{earlier?: Version, isNow: boolean}} options
   */
  item(line, version, { earlier, isNow }) {
    return element(
      "li",
      { class: "version" },
      heading(version),
      element("p", { lang: languageOf(version.text) }, ...changes(earlier?.text ?? version.text, version.text)),
      version.speaker && element("p", { class: "hint" }, fill(gettext("Speaker: %(name)s"), { name: version.speaker })),
      !isNow &&
        version.version !== null &&
        element(
          "button",
          { type: "button", onclick: () => this.restore(line, version.version) },
          gettext("Restore this version"),
        ),
    );
  }

  /**
   * @param {KnownLine} line
   * @param {number | null} version
   */
  async restore(line, version) {
    this.dialog.close();
    await this.edits.try(() => ({ kind: "restore", lines: [{ ...this.edits.seen(line), version }] }), {
      done: gettext("The earlier version is back."),
    });
  }
}

/** @param {Version} version */
function heading({ by, at, what }) {
  return element(
    "p",
    { class: "version-head" },
    element("strong", {}, by || gettext("the machine")),
    ` ${REASONS.get(what)?.() ?? what}`,
    element("span", { class: "hint" }, at ? momentText(at) : ""),
  );
}

/**
 * @param {string} before
 * @param {string} after
 */
function changes(before, after) {
  return difference(before, after).map(([kind, text]) =>
    kind === "same" ? text : element(kind === "added" ? "ins" : "del", {}, text),
  );
}
