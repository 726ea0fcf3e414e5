// The trash: taken out again, or gone for good.

import { postJson } from "../lib/api.js";
import { closest, findById } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";

const list = findById("trash");
const dialog = findById("delete-dialog", HTMLDialogElement);

/** @type {string[]} those that the dialog asks about */
let asked = [];

/**
 * @param {string} action
 * @param {string[]} keys
 */
async function act(action, keys) {
  if (await answerOrSayWhy(postJson(list?.dataset.url ?? "", { action, keys }))) location.reload();
}

/** @param {string[]} keys */
function ask(keys) {
  asked = keys;
  dialog?.showModal();
}

function allKeys() {
  const rows = /** @type {HTMLElement[]} */ ([...(list?.querySelectorAll("[data-key]") ?? [])]);
  return rows.map((row) => row.dataset.key ?? "");
}

list?.addEventListener("click", ({ target }) => {
  const button = closest(target, "[data-action]");
  const key = closest(target, "[data-key]")?.dataset.key;
  if (!button || !key) return;
  if (button.dataset.action === "restore") act("restore", [key]);
  else ask([key]);
});
findById("empty-trash")?.addEventListener("click", () => ask(allKeys().slice(0, 200)));
if (dialog) {
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close(""));
  dialog.addEventListener("close", () => dialog.returnValue === "delete" && act("delete", asked));
}
