// What can be done with a line: one toolbar that goes to the line in question, and clicks on its parts.

import { element, icon } from "../lib/dom.js";
import { NEW_LINE } from "./editor.js";
import { openMenu } from "../lib/popover.js";
import { toast } from "../lib/toast.js";
import { gettext } from "../lib/words.js";

const ICONS = {
  play: "M6 4l10 6-10 6z",
  edit: "M13.5 3.5l3 3L7 16l-4 1 1-4z",
  speaker: "M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.5 17c.6-3.4 3.1-5 6.5-5s5.9 1.6 6.5 5",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
};

export class LineTools {
  // `player`, `editor`, `speakerMenu` and `versions` are null where there is nothing to play or no right to edit.
  constructor({ view, edits, player, editor, speakerMenu, versions }) {
    Object.assign(this, { view, edits, player, editor, speakerMenu, versions });
    this.toolbar = element(
      "div",
      { class: "line-tools", role: "toolbar", "aria-label": gettext("This line") },
      player && this.button("play", gettext("Play")),
      editor && this.button("edit", gettext("Edit")),
      speakerMenu && this.button("speaker", gettext("Speaker")),
      this.button("more", gettext("More")),
    );
    const { container } = view.view;
    container.addEventListener("pointerover", (event) => this.goTo(event.target.closest(".line")));
    container.addEventListener("focusin", (event) => this.goTo(event.target.closest(".line")));
    container.addEventListener("click", (event) => this.clicked(event));
    container.addEventListener("dblclick", (event) => this.doubleClicked(event));
    container.classList.toggle("is-playable", Boolean(player));
    container.classList.toggle("is-editable", Boolean(editor));
  }

  button(action, label) {
    return element(
      "button",
      { type: "button", class: "quiet icon", title: label, "aria-label": label, dataset: { action } },
      icon(ICONS[action]),
    );
  }

  goTo(row) {
    if (row && this.toolbar.parentElement !== row) row.append(this.toolbar);
  }

  lineOf(node) {
    const row = node.closest(".line");
    return row ? this.view.transcript.byId.get(Number(row.dataset.line)) : null;
  }

  clicked(event) {
    const line = this.lineOf(event.target);
    if (!line) return;
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action) this.act(action, line, event.target.closest("[data-action]"));
    else if (event.target.closest(".speaker") && this.speakerMenu) this.speakerMenu.open(line, event.target.closest(".speaker"));
    else if (event.target.closest(".text")) this.clickedText(line, event);
  }

  // A click on a word plays from it, unless it was for selecting text.
  clickedText(line, event) {
    if (!this.player || !getSelection().isCollapsed || event.detail > 1) return;
    this.wasPlaying = this.player.player.isPlaying;
    this.player.playCharacter(line, characterAt(event));
  }

  doubleClicked(event) {
    const line = event.target.closest(".text") && this.lineOf(event.target);
    if (!line || !this.editor) return;
    if (!this.wasPlaying) this.player?.player.pause(); // the first click of the two has started it
    const caret = characterAt(event);
    getSelection().removeAllRanges();
    this.editor.edit(line.id, caret);
  }

  act(action, line, button) {
    const actions = {
      play: () => this.player?.playLine(line),
      edit: () => this.editor.edit(line.id),
      speaker: () => this.speakerMenu.open(line, button),
      more: () => this.openMore(line, button),
    };
    actions[action]?.();
  }

  openMore(line, button) {
    const { edits, editor, view } = this;
    const following = view.transcript.lines[view.transcript.lines.indexOf(line) + 1];
    openMenu(button, [
      editor && { label: gettext("Insert a line below"), action: () => this.insertBelow(line) },
      editor &&
        following && {
          label: gettext("Merge with the next line"),
          action: () =>
            edits.try(() => ({ kind: "merge", seen: edits.seen(line), following: edits.seen(following) }), {
              done: gettext("The lines were merged."),
            }),
        },
      editor && { label: gettext("Earlier versions"), action: () => this.versions.open(line) },
      { label: gettext("Copy a link to this line"), action: () => copyLink(line) },
      editor && {
        label: gettext("Remove this line"),
        isDangerous: true,
        action: () => edits.try(() => ({ kind: "remove", seen: edits.seen(line) }), { done: gettext("The line was removed.") }),
      },
    ]);
  }

  async insertBelow(line) {
    const answer = await this.edits.try(() => ({ kind: "insert", after: line.id, text: NEW_LINE }));
    if (answer) await this.editor.edit(answer.lines[0].id, 0, { isNew: true });
  }
}

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

// Which character of its text a click is on.
function characterAt(event) {
  const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  if (place) return place.offset;
  return document.caretRangeFromPoint?.(event.clientX, event.clientY)?.startOffset ?? 0;
}
