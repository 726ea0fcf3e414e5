// Who is this? Some of what a voice said, to be read and heard, and a way to name it everywhere.

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { fill, gettext, languageOf, ngettext, speakerName } from "../lib/words.js";

const EXCERPTS = 5;

export class PersonDialog {
  // `player` and `speakerMenu` may be null.
  constructor({ view, player, speakerMenu }) {
    this.view = view;
    this.player = player;
    this.speakerMenu = speakerMenu;
    this.title = element("h2", { id: "person-title" });
    this.facts = element("p", { class: "hint" });
    this.list = element("ol", { class: "excerpts" });
    this.rename = element("button", { type: "button", class: "primary", onclick: ({ target }) => this.openMenu(target) }, gettext("Name this voice"));
    this.dialog = element(
      "dialog",
      { class: "wide", "aria-labelledby": "person-title" },
      this.title,
      this.facts,
      this.list,
      element("form", { method: "dialog", class: "dialog-buttons" }, speakerMenu && this.rename, element("button", {}, gettext("Close"))),
    );
    document.body.append(this.dialog);
  }

  open(speakerId) {
    const lines = this.view.transcript.lines.filter((line) => line.spk.speaker_id === speakerId);
    if (!lines.length) return;
    this.line = lines[0];
    this.title.textContent = speakerName(this.line.spk);
    const ms = lines.reduce((sum, line) => sum + line.end_ms - line.start_ms, 0);
    this.facts.textContent = fill(ngettext("%(count)s line, %(time)s", "%(count)s lines, %(time)s", lines.length), {
      count: lines.length,
      time: clock(ms),
    });
    this.rename.hidden = !speakerId;
    this.rename.textContent = this.line.spk.number ? gettext("Name this voice") : gettext("Give it another name");
    this.list.replaceChildren(...telling(lines).map((line) => this.excerpt(line)));
    this.dialog.showModal();
  }

  excerpt(line) {
    return element(
      "li",
      {},
      this.player && element("button", { type: "button", class: "time", onclick: () => this.player.playLine(line) }, `▶ ${clock(line.start_ms)}`),
      element("span", { lang: languageOf(line.asr) }, line.asr),
    );
  }

  openMenu(button) {
    this.dialog.close();
    this.speakerMenu.open(this.line, this.view.personOf(this.line.spk.speaker_id) ?? button, { whole: true });
  }
}

// The longest lines tell most about a voice; in the order of the meeting.
function telling(lines) {
  const longest = [...lines].sort((one, other) => other.end_ms - other.start_ms - (one.end_ms - one.start_ms)).slice(0, EXCERPTS);
  return longest.sort((one, other) => one.start_ms - other.start_ms);
}
