// What a session's page can do besides showing it: play, find, correct. By the rights of whoever looks.

/** @import { PageData } from "../connection/messages.js" */
/** @import { EditingTools } from "../editing/line-tools.js" */
/** @import { Player } from "../player/player.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { TranslationBar } from "../transcript/translation-bar.js" */
/** @import { PersonDialog } from "./person-dialog.js" */

import { Editor } from "../editing/editor.js";
import { Edits } from "../editing/edits.js";
import { Finder } from "../editing/finder.js";
import { LineTools } from "../editing/line-tools.js";
import { SpeakerMenu } from "../editing/speaker-menu.js";
import { TitleField } from "../editing/title-field.js";
import { clock } from "../lib/clock.js";
import { byId, setText } from "../lib/dom.js";
import { onDemand } from "../lib/on-demand.js";
import { NotesPanel } from "../notes/notes-panel.js";
import { PlayerBar } from "../player/player-bar.js";
import { SpeakerTracks } from "../player/speaker-tracks.js";
import { setUpSharing } from "./sharing.js";
import { listenForShortcuts } from "./shortcuts.js";

/** @param {{data: PageData, view: SessionView}} parts */
export function setUpTools({ data, view }) {
  const editing = data.rights.includes("edit") ? setUpEditing(data, view) : null;
  const playerBar = new PlayerBar({ data, view });
  showLength(playerBar.player);
  const finder = new Finder({ view, edits: editing?.edits ?? null });
  const speakerMenu = editing?.speakerMenu ?? null;
  const remember = editing && data.mayEnroll ? rememberVoices(data) : null;
  if (speakerMenu && remember) speakerMenu.offer = remember;
  const showPerson = showPersons({ view, playerBar, speakerMenu, remember });
  const notes = new NotesPanel({ data, view, playerBar });
  const tracks = new SpeakerTracks({ view, player: playerBar.player });
  new LineTools({ data, view, playerBar, editing, notes });
  setUpSharing({ data, view, showRemoved: editing && showRemoved({ data, view, playerBar, edits: editing.edits }) });
  view.companions.push(
    {
      transcriptChanged: () => playerBar.transcriptChanged(),
      ended: () => playerBar.ended(),
      listeningChanged: () => playerBar.listeningChanged(),
    },
    { transcriptChanged: () => finder.transcriptChanged() },
    { choosePerson: showPerson },
    notes,
    minutesCompanion({ data, view, playerBar, notes }),
    tracks,
    translationCompanion({ data, view }),
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
  const versions = onDemand(
    () => import("../editing/versions-dialog.js"),
    ({ VersionsDialog }) => new VersionsDialog({ data, edits }),
  );
  const rules = onDemand(
    () => import("../editing/rule-dialog.js"),
    ({ RuleDialog }) => new RuleDialog({ data, view, edits }),
  );
  const editor = new Editor({ view, edits });
  editor.corrected = (before, after) => rules((dialog) => dialog.offer(before, after));
  return {
    edits,
    editor,
    speakerMenu: new SpeakerMenu({ data, view, edits }),
    showVersions: (line) => versions((dialog) => dialog.open(line)),
  };
}

/**
 * Minutes come after what was said; while a meeting goes on, those of what was said so far.
 *
 * @param {{data: PageData, view: SessionView, playerBar: PlayerBar, notes: NotesPanel}} parts
 */
function minutesCompanion(parts) {
  const minutes = onDemand(
    () => import("../minutes/minutes-panel.js"),
    ({ MinutesPanel }) => new MinutesPanel(parts),
    () => {},
  );
  if (parts.data.hasMinutes) minutes((panel) => (parts.view.isLive ? panel.followLive() : panel.load()));
  return { ended: () => parts.data.hasMinutes && minutes((panel) => panel.ended()) };
}

/**
 * Most meetings are in one language, and show nothing of this.
 *
 * @param {ConstructorParameters<typeof TranslationBar>[0]} parts
 */
function translationCompanion(parts) {
  const translation = onDemand(
    () => import("../transcript/translation-bar.js"),
    ({ TranslationBar }) => new TranslationBar(parts),
    () => {},
  );
  if (parts.data.mayTranslate || parts.view.translations.language) translation((bar) => bar.show());
  return { translationsChanged: () => translation((bar) => bar.translationsChanged()) };
}

/**
 * @param {ConstructorParameters<typeof PersonDialog>[0]} parts
 * @returns {(speakerId: string) => void}
 */
function showPersons(parts) {
  const persons = onDemand(
    () => import("./person-dialog.js"),
    ({ PersonDialog }) => new PersonDialog(parts),
  );
  return (speakerId) => persons((dialog) => dialog.open(speakerId));
}

/**
 * @param {PageData} data
 * @returns {(speakerId: string) => void}
 */
function rememberVoices(data) {
  const remember = onDemand(
    () => import("./remember-dialog.js"),
    ({ RememberDialog }) => new RememberDialog({ data }),
  );
  return (speakerId) => remember((dialog) => dialog.open(speakerId));
}

/** @param {{data: PageData, view: SessionView, playerBar: PlayerBar, edits: Edits}} parts */
function showRemoved(parts) {
  const removed = onDemand(
    () => import("../editing/removed-dialog.js"),
    ({ RemovedDialog }) => new RemovedDialog(parts),
  );
  return () => removed((dialog) => dialog.open());
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
