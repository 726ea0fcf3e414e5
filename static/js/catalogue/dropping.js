// Recordings dragged onto the page: they are sent, and transcribed on the server.

import { findById } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";

const OUTSIDE_MS = 150;
const NO_RECORDING = /^(image|text|font)\/|^application\/(pdf|json|zip|msword|vnd\.)/;

/**
 * Take files that are dropped anywhere on the page, where one may record.
 *
 * @param {(files: File[]) => void} onFiles
 */
export function setUpDropping(onFiles) {
  const target = findById("drop-target");
  if (!target) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    target.hidden = false;
    clearTimeout(timer); // it comes again and again while the file is over the page
    timer = setTimeout(() => (target.hidden = true), OUTSIDE_MS);
  });
  addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    target.hidden = true;
    for (const { name } of files.filter(({ type }) => NO_RECORDING.test(type))) {
      toast(fill(gettext("%(name)s is no recording."), { name }), { isError: true });
    }
    onFiles(files.filter(({ type }) => !NO_RECORDING.test(type)));
  });
}
