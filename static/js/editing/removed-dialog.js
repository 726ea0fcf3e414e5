// Lines that people took out of the transcript: each can be heard, and brought back.

/** @import { PageData } from "../connection/messages.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { EditedLine } from "./requests.js" */
/** @import { Edits } from "./edits.js" */

import { getJson, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { momentText } from "../lib/moments.js";
import { fill, gettext, languageOf, speakerName } from "../lib/words.js";

/** @typedef {EditedLine & {by: string, at: string, version: number}} RemovedLine */

export class RemovedDialog {
  /** @param {{data: PageData, view: SessionView, edits: Edits, playerBar: PlayerBar}} parts */
  constructor({ data, view, edits, playerBar }) {
    this.data = data;
    this.view = view;
    this.edits = edits;
    this.playerBar = playerBar;
    this.list = element("ol", { class: "versions" });
    this.none = element("p", { class: "hint" }, gettext("No line has been removed."));
    this.dialog = element(
      "dialog",
      { class: "wide", "aria-labelledby": "removed-title" },
      element("h2", { id: "removed-title" }, gettext("Removed lines")),
      this.none,
      this.list,
      element("form", { method: "dialog", class: "dialog-buttons" }, element("button", {}, gettext("Close"))),
    );
    document.body.append(this.dialog);
  }

  async open() {
    /** @type {{lines: RemovedLine[]}} */
    const { lines } = await getJson(sessionUrl(this.data, "removed"));
    this.none.hidden = lines.length > 0;
    this.list.replaceChildren(...lines.map((line) => this.item(line)));
    this.dialog.showModal();
  }

  /** @param {RemovedLine} line */
  item(line) {
    const when = { name: line.by || gettext("somebody"), time: momentText(line.at) };
    return element(
      "li",
      { class: "version" },
      element(
        "p",
        { class: "version-head" },
        element(
          "button",
          { type: "button", class: "time", onclick: () => this.play(line) },
          `▶ ${clock(line.start_ms)}`,
        ),
        element("strong", {}, speakerName(line.spk)),
        element("span", { class: "hint" }, fill(gettext("removed by %(name)s, %(time)s"), when)),
      ),
      element("p", { lang: languageOf(line.asr) }, line.asr),
      element("button", { type: "button", onclick: () => this.bringBack(line) }, gettext("Bring back")),
    );
  }

  /** @param {RemovedLine} line */
  play(line) {
    return this.playerBar.playLine(line);
  }

  /** @param {RemovedLine} line */
  async bringBack({ id, revision, version }) {
    this.dialog.close();
    const answer = await this.edits.try(() => ({ kind: "restore", lines: [{ line: id, revision, version }] }), {
      done: gettext("The line is back."),
    });
    if (answer) this.view.showLine(id);
  }
}
