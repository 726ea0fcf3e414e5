// The keyboard map of a session's page. Keys that write are left to whoever writes.

const byId = (id) => document.getElementById(id);

export function listenForShortcuts({ view, player, editor, edits, speakerMenu, finder }) {
  const currentLine = () => view.transcript.byId.get(Number(view.view.current?.dataset.line));

  // Also while writing.
  const anywhere = {
    "alt+KeyK": () => player?.player.toggle(),
    "alt+KeyJ": () => player?.step(-1),
    "alt+KeyL": () => player?.step(1),
    "mod+KeyH": () => finder.open(),
  };

  const reading = {
    Space: () => player?.player.toggle(),
    ArrowLeft: () => player?.step(-1),
    ArrowRight: () => player?.step(1),
    Enter: () => currentLine() && editor?.edit(currentLine().id),
    KeyS: () => currentLine() && speakerMenu?.open(currentLine(), view.view.current),
    Slash: () => finder.open(),
    "mod+KeyZ": () => edits?.undo(),
    "mod+shift+KeyZ": () => edits?.redo(),
    "mod+KeyY": () => edits?.redo(),
    "shift+Slash": () => byId("help").showModal(),
  };

  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const combination = combinationOf(event);
    const action = anywhere[combination] ?? (isWriting(event.target) ? null : reading[combination]);
    if (!action || (isControl(event.target) && ["Space", "Enter"].includes(event.code))) return;
    event.preventDefault();
    action();
  });
}

function combinationOf(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey) parts.push("shift");
  return [...parts, event.code].join("+");
}

function isWriting(target) {
  return target.closest("input, textarea, select, [contenteditable], [popover]") !== null;
}

function isControl(target) {
  return target.closest("button, a, summary, [role=slider]") !== null;
}
