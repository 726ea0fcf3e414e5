// Several meetings selected in the list, and what can be done with them at once.

import { postJson } from "../lib/api.js";
import { byId, closest, findById, setText } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext, ngettext } from "../lib/words.js";

/** @typedef {{done: string[], live: string[], refused: number}} Answer */

export class Selection {
  /** @type {Set<string>} */
  keys = new Set();
  /** @type {HTMLInputElement | undefined} */
  last;

  /** @param {{onDone: () => void}} parts */
  constructor({ onDone }) {
    this.onDone = onDone;
    this.list = byId("list");
    this.bar = byId("selection");
    this.url = this.bar.dataset.url ?? "";
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.bar.addEventListener("click", (event) => this.pressed(event));
    byId("select-none").addEventListener("click", () => this.clear());
    addEventListener(
      "keydown",
      (event) => event.key === "Escape" && !document.querySelector("dialog[open]") && this.clear(),
    );
    for (const id of ["tag-dialog", "move-dialog"]) this.listenTo(byId(id, HTMLDialogElement));
  }

  /** @param {HTMLDialogElement} dialog */
  listenTo(dialog) {
    const field = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
    dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close(""));
    // No submit button, for the first of them is what Enter presses.
    const other = dialog.querySelector("[data-value]");
    if (other instanceof HTMLElement) {
      other.addEventListener("click", () => field.reportValidity() && dialog.close(other.dataset.value));
    }
    dialog.addEventListener("close", () => {
      if (dialog.returnValue) this.act(dialog.returnValue, [...this.keys], field.value);
      dialog.returnValue = field.value = "";
    });
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const star = closest(event.target, ".star");
    if (star) this.mark(star);
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches(".select-row")) return;
    if (event.shiftKey && this.last) this.extend(this.last, box);
    this.last = box;
    this.read();
  }

  /**
   * Select all from one row to another, as file managers do.
   *
   * @param {HTMLInputElement} from
   * @param {HTMLInputElement} to
   */
  extend(from, to) {
    const boxes = this.boxes();
    const [begin, stop] = [boxes.indexOf(from), boxes.indexOf(to)].sort((one, other) => one - other);
    for (const box of boxes.slice(Math.max(0, begin), stop + 1)) box.checked = to.checked;
  }

  boxes() {
    return /** @type {HTMLInputElement[]} */ ([...this.list.querySelectorAll(".select-row")]);
  }

  /** Take over what is ticked. */
  read() {
    const ticked = this.boxes().filter((box) => box.checked);
    this.keys = new Set(ticked.map((box) => keyOf(box)));
    this.show();
  }

  /** Tick what is selected, in a list that is new. */
  restore() {
    for (const box of this.boxes()) box.checked = this.keys.has(keyOf(box));
    this.read();
  }

  clear() {
    this.keys.clear();
    this.restore();
  }

  show() {
    const { size } = this.keys;
    this.bar.hidden = size === 0;
    const join = findById("join-selected");
    if (join) join.hidden = size < 2;
    setText(
      byId("selected-count"),
      size ? fill(ngettext("%(count)s selected", "%(count)s selected", size), { count: size }) : "",
    );
  }

  /** @param {MouseEvent} event */
  pressed({ target }) {
    const button = closest(target, "button");
    const { action, opens } = button?.dataset ?? {};
    if (opens) byId(opens, HTMLDialogElement).showModal();
    if (action) this.act(action, [...this.keys]);
    if (button?.id === "join-selected") this.join(button.dataset.url ?? "");
    if (button?.id === "export-selected") this.download(button.dataset.url ?? "");
  }

  /** @param {string} url */
  download(url) {
    const query = new URLSearchParams([...this.keys].map((key) => ["key", key]));
    query.set("format", byId("export-format", HTMLSelectElement).value);
    location.assign(`${url}?${query}`);
  }

  /** @param {string} url */
  async join(url) {
    const question = gettext(
      "Join these meetings to one, in the order in which they began? It can be split again at any line.",
    );
    if (!confirm(question)) return;
    const answer = await answerOrSayWhy(postJson(url, { keys: [...this.keys] }));
    if (answer) location.assign(answer.url);
  }

  /** @param {HTMLElement} star */
  async mark(star) {
    const isOn = star.getAttribute("aria-pressed") === "true";
    star.setAttribute("aria-pressed", String(!isOn));
    const answer = await this.ask(isOn ? "unfavourite" : "favourite", [keyOf(star)]);
    if (!answer) star.setAttribute("aria-pressed", String(isOn));
  }

  /**
   * @param {string} action
   * @param {string[]} keys
   * @param {string} [name]
   */
  async act(action, keys, name = "") {
    const answer = await this.ask(action, keys, name);
    if (!answer) return;
    if (action === "trash") this.tellOfTrash(answer);
    else if (action !== "restore") this.tell(answer);
    this.clear();
    this.onDone();
  }

  /** @param {Answer} answer */
  tellOfTrash({ done, live }) {
    if (!done.length) {
      toast(gettext("Meetings that are running must end before they can be deleted."), { isError: true });
      return;
    }
    const text = ngettext("%(count)s meeting is in the trash.", "%(count)s meetings are in the trash.", done.length);
    const rest = live.length ? ` ${gettext("Those that are running were left.")}` : "";
    toast(fill(text, { count: done.length }) + rest, {
      action: gettext("Undo"),
      onAction: () => this.act("restore", done),
    });
  }

  /** @param {Answer} answer */
  tell({ done, refused }) {
    const text = ngettext("%(count)s meeting changed.", "%(count)s meetings changed.", done.length);
    const rest = refused ? ` ${gettext("You may not change the others.")}` : "";
    toast(fill(text, { count: done.length }) + rest);
  }

  /**
   * @param {string} action
   * @param {string[]} keys
   * @param {string} [name]
   * @returns {Promise<Answer | null>} null if nothing was done, which was said
   */
  ask(action, keys, name = "") {
    return answerOrSayWhy(postJson(this.url, { action, keys, name }));
  }
}

/**
 * Set up the selection; null for those who may change nothing.
 *
 * @param {() => void} onDone called when the list is not what it was
 */
export function setUpSelection(onDone) {
  return findById("selection") ? new Selection({ onDone }) : null;
}

/** @param {Element} within */
function keyOf(within) {
  const row = within.closest("[data-key]");
  return (row instanceof HTMLElement && row.dataset.key) || "";
}
