// What can be done with a line: one toolbar that goes to the line in question, and clicks on its parts.

/** @import { Change, PageData } from "../connection/messages.js" */
/** @import { MenuEntry } from "../lib/popover.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Editor } from "./editor.js" */
/** @import { Edits } from "./edits.js" */
/** @import { SpeakerMenu } from "./speaker-menu.js" */

import { postJson, sessionUrl } from "../lib/api.js";
import { closest, element, icon } from "../lib/dom.js";
import { openMenu } from "../lib/popover.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";
import { ofNumbers, ofRules, takenBack } from "../transcript/changes.js";
import { NEW_LINE } from "./line-field.js";

const ICONS = {
  play: "M6 4l10 6-10 6z",
  edit: "M13.5 3.5l3 3L7 16l-4 1 1-4z",
  speaker: "M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.5 17c.6-3.4 3.1-5 6.5-5s5.9 1.6 6.5 5",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
};

/**
 * What those have who may edit.
 *
 * @typedef {object} EditingTools
 * @property {Edits} edits
 * @property {Editor} editor
 * @property {SpeakerMenu} speakerMenu
 * @property {(line: KnownLine) => void} showVersions
 */

/**
 * Ways to write at a line's moment.
 *
 * @typedef {object} LineNotes
 * @property {boolean} mayWrite
 * @property {(ms: number) => void} bookmark
 * @property {(ms: number) => void} write
 */

export class LineTools {
  /** Whether the recording was playing before the first click of two. */
  wasPlaying = false;

  /**
   * @param {object} parts
   * @param {PageData} parts.data
   * @param {SessionView} parts.view
   * @param {PlayerBar} parts.playerBar
   * @param {EditingTools | null} parts.editing
   * @param {LineNotes} parts.notes
   */
  constructor({ data, view, playerBar, editing, notes }) {
    this.data = data;
    this.notes = notes;
    this.view = view;
    this.playerBar = playerBar;
    this.editing = editing;
    this.toolbar = element(
      "div",
      { class: "line-tools", role: "toolbar", "aria-label": gettext("This line") },
      button("play", gettext("Play")),
      editing && button("edit", gettext("Edit")),
      editing && button("speaker", gettext("Speaker")),
      button("more", gettext("More")),
    );
    const { container } = view.transcriptView;
    container.addEventListener("pointerover", ({ target }) => this.goTo(closest(target, ".line")));
    container.addEventListener("focusin", ({ target }) => this.goTo(closest(target, ".line")));
    container.addEventListener("click", (event) => this.clicked(event));
    container.addEventListener("dblclick", (event) => this.doubleClicked(event));
    container.classList.add("is-playable");
    container.classList.toggle("is-editable", Boolean(editing));
  }

  /** @param {HTMLElement | null} row */
  goTo(row) {
    if (row && this.toolbar.parentElement !== row) row.append(this.toolbar);
  }

  /** @param {EventTarget | null} target */
  lineOf(target) {
    const row = closest(target, ".line");
    return row && this.view.transcript.byId.get(Number(row.dataset.line));
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const line = this.lineOf(event.target);
    if (!line) return;
    const control = closest(event.target, "[data-action]");
    const speaker = closest(event.target, ".speaker");
    if (control) this.act(line, control);
    else if (speaker) this.editing?.speakerMenu.open(line, speaker);
    else if (closest(event.target, ".text")) this.clickedText(line, event);
  }

  /**
   * Play from the word that was clicked on, unless the click was for selecting text.
   *
   * @param {KnownLine} line
   * @param {MouseEvent} event
   */
  clickedText(line, event) {
    if (!getSelection()?.isCollapsed || event.detail > 1) return;
    this.wasPlaying = this.playerBar.player.isPlaying;
    this.playerBar.playCharacter(line, characterAt(event));
  }

  /** @param {MouseEvent} event */
  doubleClicked(event) {
    const line = closest(event.target, ".text") && this.lineOf(event.target);
    if (!line || !this.editing) return;
    if (!this.wasPlaying) this.playerBar.player.pause(); // the first click of the two has started it
    const caret = characterAt(event);
    getSelection()?.removeAllRanges();
    this.editing.editor.edit(line.id, caret);
  }

  /**
   * @param {KnownLine} line
   * @param {HTMLElement} control
   */
  act(line, control) {
    switch (control.dataset.action) {
      case "play":
        return this.playerBar.playLine(line);
      case "edit":
        return this.editing?.editor.edit(line.id);
      case "speaker":
        return this.editing?.speakerMenu.open(line, control);
      case "more":
        return openMenu(control, this.more(line));
    }
  }

  /**
   * @param {KnownLine} line
   * @returns {MenuEntry[]}
   */
  more(line) {
    const link = { label: gettext("Copy a link to this line"), action: () => copyLink(line) };
    const own = [
      ...(this.notes.mayWrite
        ? [
            { label: gettext("Bookmark this line"), action: () => this.notes.bookmark(line.start_ms) },
            { label: gettext("Write a note here"), action: () => this.notes.write(line.start_ms) },
          ]
        : []),
      link,
    ];
    if (!this.editing) return own;
    const { edits, showVersions } = this.editing;
    const { lines } = this.view.transcript;
    const following = lines[lines.indexOf(line) + 1];
    return [
      { label: gettext("Insert a line below"), action: () => this.insertBelow(line) },
      ...(following
        ? [{ label: gettext("Merge with the next line"), action: () => merge(edits, line, following) }]
        : []),
      ...(line === lines[0] || this.view.isLive
        ? []
        : [{ label: gettext("Split the meeting here"), action: () => split(this.data, line) }]),
      ...this.asHeard(line),
      { label: gettext("Earlier versions"), action: () => showVersions(line) },
      ...own,
      { label: gettext("Remove this line"), isDangerous: true, action: () => remove(edits, line) },
    ];
  }

  /**
   * Ways back to what was heard.
   *
   * @param {KnownLine} line
   * @returns {MenuEntry[]}
   */
  asHeard(line) {
    const [rules, numbers] = [ofRules(line), ofNumbers(line)];
    const heard = rules.map((change) => change.heard).join(", ");
    return [
      ...(rules.length
        ? [
            {
              label: fill(gettext("Write as heard: %(text)s"), { text: heard }),
              action: () => this.takeBack(line, rules),
            },
          ]
        : []),
      ...(numbers.length
        ? [{ label: gettext("Write numbers as heard"), action: () => this.takeBack(line, numbers) }]
        : []),
    ];
  }

  /**
   * @param {KnownLine} line
   * @param {Change[]} changes
   */
  takeBack(line, changes) {
    const { edits } = this.editing ?? {};
    const text = takenBack(line, changes);
    return edits?.try(() => ({ kind: "text", seen: edits.seen(line), text }), {
      done: gettext("The line reads as it was heard."),
    });
  }

  /** @param {KnownLine} line */
  async insertBelow(line) {
    const answer = await this.editing?.edits.try(() => ({ kind: "insert", after: line.id, text: NEW_LINE }));
    if (answer) await this.editing?.editor.edit(answer.lines[0].id, 0, { isNew: true });
  }
}

/**
 * @param {keyof typeof ICONS} action
 * @param {string} label
 */
function button(action, label) {
  return element(
    "button",
    { type: "button", class: "quiet icon", title: label, "aria-label": label, dataset: { action } },
    icon(ICONS[action]),
  );
}

/**
 * Go on to the meeting that begins with this line.
 *
 * @param {PageData} data
 * @param {KnownLine} line
 */
async function split(data, line) {
  if (!confirm(gettext("Begin a new meeting with this line? The two can be joined again in the list."))) return;
  const answer = await answerOrSayWhy(postJson(sessionUrl(data, "split"), { line: line.id }));
  if (answer) location.assign(answer.url);
}

/**
 * @param {Edits} edits
 * @param {KnownLine} line
 * @param {KnownLine} following
 */
function merge(edits, line, following) {
  return edits.try(() => ({ kind: "merge", seen: edits.seen(line), following: edits.seen(following) }), {
    done: gettext("The lines were merged."),
  });
}

/**
 * @param {Edits} edits
 * @param {KnownLine} line
 */
function remove(edits, line) {
  return edits.try(() => ({ kind: "remove", seen: edits.seen(line) }), { done: gettext("The line was removed.") });
}

/** @param {KnownLine} line */
async function copyLink(line) {
  const url = new URL(location.href);
  url.hash = `line-${line.id}`;
  try {
    await navigator.clipboard.writeText(url.href);
    toast(gettext("The link was copied."));
  } catch {
    toast(url.href); // the clipboard is only for secure pages: show it, to be copied by hand
  }
}

/**
 * Return which character of its text a click is on.
 *
 * @param {MouseEvent} event
 */
function characterAt(event) {
  const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  if (place) return place.offset;
  return document.caretRangeFromPoint?.(event.clientX, event.clientY)?.startOffset ?? 0;
}
