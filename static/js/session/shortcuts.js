// The keyboard map of a session's page. Keys that write are left to whoever writes.

/** @import { Finder } from "../editing/finder.js" */
/** @import { EditingTools } from "../editing/line-tools.js" */
/** @import { NotesPanel } from "../notes/notes-panel.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */

import { byId, closest } from "../lib/dom.js";
import { combinationOf } from "./keyboard.js";

/**
 * @typedef {object} Tools
 * @property {SessionView} view
 * @property {PlayerBar} playerBar
 * @property {EditingTools | null} editing
 * @property {Finder} finder
 * @property {NotesPanel} notes
 */
/** @typedef {Map<string, () => void>} Shortcuts */

/** @param {Tools} tools */
export function listenForShortcuts(tools) {
  const anywhere = shortcutsAnywhere(tools);
  const reading = shortcutsWhileReading(tools);
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const combination = combinationOf(event);
    const action = anywhere.get(combination) ?? (isWriting(event.target) ? undefined : reading.get(combination));
    if (!action || (isControl(event.target) && ["Space", "Enter"].includes(event.code))) return;
    event.preventDefault();
    action();
  });
}

/**
 * Return what works also while writing.
 *
 * @param {Tools} tools
 * @returns {Shortcuts}
 */
function shortcutsAnywhere({ playerBar, finder }) {
  return new Map([
    ["alt+KeyK", () => playerBar.player.toggle()],
    ["alt+KeyJ", () => playerBar.step(-1)],
    ["alt+KeyL", () => playerBar.step(1)],
    ["mod+KeyH", () => finder.open()],
  ]);
}

/**
 * @param {Tools} tools
 * @returns {Shortcuts}
 */
function shortcutsWhileReading({ view, playerBar, editing, finder, notes }) {
  const edit = () => {
    const line = currentLine(view);
    if (line) editing?.editor.edit(line.id);
  };
  const nameSpeaker = () => {
    const line = currentLine(view);
    if (line && view.transcriptView.current) editing?.speakerMenu.open(line, view.transcriptView.current);
  };
  return new Map([
    ["Space", () => playerBar.player.toggle()],
    ["ArrowLeft", () => playerBar.step(-1)],
    ["ArrowRight", () => playerBar.step(1)],
    ["Enter", edit],
    ["KeyS", nameSpeaker],
    ["KeyB", () => notes.bookmark()],
    ["KeyN", () => notes.write()],
    ["Slash", () => finder.open()],
    ["mod+KeyZ", () => editing?.edits.undo()],
    ["mod+shift+KeyZ", () => editing?.edits.redo()],
    ["mod+KeyY", () => editing?.edits.redo()],
    ["shift+Slash", () => byId("help", HTMLDialogElement).showModal()],
  ]);
}

/** @param {SessionView} view */
function currentLine(view) {
  return view.transcript.byId.get(Number(view.transcriptView.current?.dataset.line));
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return closest(target, "input, textarea, select, [contenteditable], [popover]") !== null;
}

/** @param {EventTarget | null} target */
function isControl(target) {
  return closest(target, "button, a, summary, [role=slider]") !== null;
}
