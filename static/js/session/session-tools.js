// What a session's page can do besides showing it: play, find, correct. By the rights of whoever looks.

/** @import { PageData } from "../connection/messages.js" */
/** @import { EditingTools } from "../editing/line-tools.js" */
/** @import { Player } from "../player/player.js" */
/** @import { SessionView } from "../transcript/session-view.js" */

import { Editor } from "../editing/editor.js";
import { Edits } from "../editing/edits.js";
import { Finder } from "../editing/finder.js";
import { LineTools } from "../editing/line-tools.js";
import { RemovedDialog } from "../editing/removed-dialog.js";
import { SpeakerMenu } from "../editing/speaker-menu.js";
import { TitleField } from "../editing/title-field.js";
import { VersionsDialog } from "../editing/versions-dialog.js";
import { clock } from "../lib/clock.js";
import { byId, setText } from "../lib/dom.js";
import { NotesPanel } from "../notes/notes-panel.js";
import { PlayerBar } from "../player/player-bar.js";
import { SpeakerTracks } from "../player/speaker-tracks.js";
import { PersonDialog } from "./person-dialog.js";
import { RememberDialog } from "./remember-dialog.js";
import { setUpSharing } from "./sharing.js";
import { listenForShortcuts } from "./shortcuts.js";

/** @param {{data: PageData, view: SessionView}} parts */
export function setUpTools({ data, view }) {
  const editing = data.rights.includes("edit") ? setUpEditing(data, view) : null;
  const playerBar = new PlayerBar({ data, view });
  showLength(playerBar.player);
  const finder = new Finder({ view, edits: editing?.edits ?? null });
  const remember = editing && data.mayEnroll ? new RememberDialog({ data }) : null;
  if (editing && remember) editing.speakerMenu.offer = (speakerId) => remember.open(speakerId);
  const persons = new PersonDialog({ view, playerBar, speakerMenu: editing?.speakerMenu ?? null, remember });
  const notes = new NotesPanel({ data, view, playerBar });
  const tracks = new SpeakerTracks({ view, player: playerBar.player });
  new LineTools({ data, view, playerBar, editing, notes });
  const removed = editing && new RemovedDialog({ data, view, playerBar, edits: editing.edits });
  setUpSharing({ data, view, removed });
  view.companions.push(
    {
      transcriptChanged: () => playerBar.transcriptChanged(),
      ended: () => playerBar.ended(),
      listeningChanged: () => playerBar.listeningChanged(),
    },
    { transcriptChanged: () => finder.transcriptChanged() },
    { choosePerson: (speakerId) => persons.open(speakerId) },
    notes,
    tracks,
  );
  if (editing) view.companions.push(editing.editor);
  listenForShortcuts({ view, playerBar, editing, finder, notes });
  goToLinkedLine(view);
}

/**
 * @param {PageData} data
 * @param {SessionView} view
 * @returns {EditingTools}
 */
function setUpEditing(data, view) {
  const edits = new Edits({ data, transcript: view.transcript });
  new TitleField({ edits });
  showUndo(edits);
  return {
    edits,
    editor: new Editor({ view, edits }),
    speakerMenu: new SpeakerMenu({ data, view, edits }),
    versions: new VersionsDialog({ data, edits }),
  };
}

/**
 * Keep the length at the head of the page that of what can be heard.
 *
 * @param {Player} player
 */
function showLength(player) {
  const show = () => setText(byId("length"), clock(player.availableMs));
  player.addEventListener("change", show);
  show();
}

/** @param {Edits} edits */
function showUndo(edits) {
  const undo = byId("undo", HTMLButtonElement);
  const redo = byId("redo", HTMLButtonElement);
  undo.addEventListener("click", () => edits.undo());
  redo.addEventListener("click", () => edits.redo());
  edits.addEventListener("change", () => {
    undo.disabled = !edits.undos.length;
    redo.disabled = !edits.redos.length;
  });
}

/**
 * Go to the line of the address, as search results and copied links have it.
 *
 * @param {SessionView} view
 */
function goToLinkedLine(view) {
  if (location.hash.startsWith("#line-")) view.showLine(Number(location.hash.slice("#line-".length)));
}
