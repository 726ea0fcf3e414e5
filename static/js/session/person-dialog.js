// One speaker: some of what was said by this voice, to be read and heard, and a way to name it everywhere.

/** @import { SpeakerMenu } from "../editing/speaker-menu.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */

import { clock } from "../lib/clock.js";
import { element } from "../lib/dom.js";
import { fill, gettext, languageOf, ngettext, speakerName } from "../lib/words.js";
import { linesOf, longestLines, talkingTimes } from "../transcript/people.js";

const EXCERPTS = 5;

export class PersonDialog {
  /** @type {KnownLine | undefined} one of the speaker's */
  line;

  /**
   * @param {object} parts
   * @param {SessionView} parts.view
   * @param {PlayerBar} parts.playerBar
   * @param {SpeakerMenu | null} parts.speakerMenu
   * @param {((speakerId: string) => void) | null} parts.remember
   */
  constructor({ view, playerBar, speakerMenu, remember }) {
    this.view = view;
    this.playerBar = playerBar;
    this.speakerMenu = speakerMenu;
    this.rememberVoice = remember;
    this.title = element("h2", { id: "person-title" });
    this.facts = element("p", { class: "hint" });
    this.list = element("ol", { class: "excerpts" });
    this.rename = element("button", { type: "button", class: "primary" }, gettext("Name this voice"));
    this.rename.addEventListener("click", () => this.openMenu());
    this.remember = element("button", { type: "button" }, gettext("Remember this voice"));
    this.remember.addEventListener("click", () => this.openRemember());
    this.dialog = element(
      "dialog",
      { class: "wide", "aria-labelledby": "person-title" },
      this.title,
      this.facts,
      this.list,
      element(
        "form",
        { method: "dialog", class: "dialog-buttons" },
        speakerMenu && this.rename,
        remember && this.remember,
        element("button", {}, gettext("Close")),
      ),
    );
    document.body.append(this.dialog);
  }

  /** @param {string} speakerId */
  open(speakerId) {
    const lines = linesOf(this.view.transcript.lines, speakerId);
    const talking = talkingTimes(this.view.transcript.lines).find(({ spk }) => spk.speaker_id === speakerId);
    if (!talking) return;
    [this.line] = lines;
    const hasWords = lines.some(({ id }) => id !== 0);
    const facts = ngettext("%(count)s line, %(time)s", "%(count)s lines, %(time)s", lines.length);
    this.title.textContent = speakerName(talking.spk);
    this.facts.textContent = fill(hasWords ? facts : gettext("Only heard while others speak, %(time)s"), {
      count: lines.length,
      time: clock(talking.ms),
    });
    this.rename.hidden = !speakerId;
    this.remember.hidden = !speakerId || Boolean(talking.spk.number);
    this.rename.textContent = talking.spk.number ? gettext("Name this voice") : gettext("Give it another name");
    this.list.replaceChildren(...longestLines(lines, EXCERPTS).map((line) => this.excerpt(line)));
    this.dialog.showModal();
  }

  /** @param {KnownLine} line */
  excerpt(line) {
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: "time", onclick: () => this.playerBar.playLine(line) },
        `▶ ${clock(line.start_ms)}`,
      ),
      element("span", { lang: languageOf(line.asr) }, line.asr),
    );
  }

  openRemember() {
    this.dialog.close();
    if (this.line) this.rememberVoice?.(this.line.spk.speaker_id);
  }

  openMenu() {
    this.dialog.close();
    if (!this.line) return;
    this.speakerMenu?.open(this.line, this.view.personOf(this.line.spk.speaker_id) ?? this.rename, { isWhole: true });
  }
}
