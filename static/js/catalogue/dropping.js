// A recording dragged onto the list: it goes to the record page, which transcribes it.

import { findById } from "../lib/dom.js";
import { leaveFile } from "../lib/handoff.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";

const OUTSIDE_MS = 150;

/** Take files that are dropped anywhere on the page, where one may record. */
export function setUpDropping() {
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
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    target.hidden = true;
    send(file, target.dataset.url ?? "");
  });
}

/**
 * @param {File} file
 * @param {string} url of the record page
 */
async function send(file, url) {
  if (!/^(audio|video)\//.test(file.type)) {
    toast(fill(gettext("%(name)s is no recording."), { name: file.name }), { isError: true });
    return;
  }
  try {
    await leaveFile(file);
    location.assign(`${url}?source=dropped`);
  } catch {
    location.assign(`${url}?source=file`); // this browser keeps nothing: the file is chosen there
  }
}
