// What a session's page can do besides showing it: play, find, correct. By the rights of whoever looks.

import { Editor } from "../editing/editor.js";
import { Edits } from "../editing/edits.js";
import { Finder } from "../editing/finder.js";
import { LineTools } from "../editing/line-tools.js";
import { PersonDialog } from "./person-dialog.js";
import { PlayerBar } from "../player/player-bar.js";
import { setUpSharing } from "./sharing.js";
import { listenForShortcuts } from "./shortcuts.js";
import { SpeakerMenu } from "../editing/speaker-menu.js";
import { TitleField } from "../editing/title-field.js";
import { VersionsDialog } from "../editing/versions-dialog.js";

const byId = (id) => document.getElementById(id);

export function setUpTools({ data, view }) {
  const mayEdit = data.rights.includes("edit");
  const player = new PlayerBar({ data, view });
  const edits = mayEdit ? new Edits({ data, transcript: view.transcript }) : null;
  const editor = mayEdit ? new Editor({ view, edits }) : null;
  const speakerMenu = mayEdit ? new SpeakerMenu({ data, view, edits }) : null;
  const versions = mayEdit ? new VersionsDialog({ data, edits }) : null;
  const finder = new Finder({ view, edits });
  const persons = new PersonDialog({ view, player, speakerMenu });
  if (mayEdit) {
    new TitleField({ edits });
    showUndo(edits);
  }
  new LineTools({ view, edits, player, editor, speakerMenu, versions });
  setUpSharing({ data, view });
  view.companions.push(
    { transcriptChanged: () => player.transcriptChanged(), ended: () => player.ended() },
    { transcriptChanged: () => finder.transcriptChanged() },
    { choosePerson: (speakerId) => persons.open(speakerId) },
  );
  if (editor) view.companions.push(editor);
  listenForShortcuts({ view, player, editor, edits, speakerMenu, finder });
  goToLinkedLine(view);
  return { player, edits, editor };
}

function showUndo(edits) {
  const [undo, redo] = [byId("undo"), byId("redo")];
  undo.addEventListener("click", () => edits.undo());
  redo.addEventListener("click", () => edits.redo());
  edits.addEventListener("change", () => {
    undo.disabled = !edits.undos.length;
    redo.disabled = !edits.redos.length;
  });
}

// A link to a line, as search results and copied links have it.
function goToLinkedLine(view) {
  const row = location.hash.startsWith("#line-") && byId(location.hash.slice(1));
  if (!row) return;
  view.follow.stop();
  view.view.setCurrent(row);
  row.classList.add("is-linked");
  row.scrollIntoView({ block: "center" });
}

