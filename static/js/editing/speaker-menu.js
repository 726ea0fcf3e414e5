// Saying who speaks: this line, or everything of that voice; somebody of this session, somebody known, or somebody new.

/** @import { PageData } from "../connection/messages.js" */
/** @import { ToastAction } from "../lib/toast.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { KnownLine } from "../transcript/transcript.js" */
/** @import { Person } from "./choices.js" */
/** @import { Edits } from "./edits.js" */
/** @import { Answer, Who } from "./requests.js" */

import { getJson, sessionUrl } from "../lib/api.js";
import { descendant, element } from "../lib/dom.js";
import { moveInList, openPopover } from "../lib/popover.js";
import { fill, gettext, initialOf, ngettext, speakerInitial, speakerName } from "../lib/words.js";
import { choicesFor, scopeOf } from "./choices.js";

const ASK_AFTER_MS = 150;
const MAX_NAME = 100;

export class SpeakerMenu {
  /** @type {KnownLine | undefined} the line that was chosen */
  line;
  /** @type {HTMLElement | undefined} */
  anchor;
  /** @type {Person[]} */
  known = [];
  mayAdd = false;
  /** Asks whether the voice of somebody with a name shall be remembered; null where nobody may. @type {((speakerId: string) => void) | null} */
  offer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /** @param {{data: PageData, view: SessionView, edits: Edits}} parts */
  constructor({ data, view, edits }) {
    this.data = data;
    this.view = view;
    this.edits = edits;
    this.input = element("input", {
      type: "text",
      autocomplete: "off",
      maxlength: MAX_NAME,
      "aria-label": gettext("Name"),
    });
    this.scopes = element("fieldset", { class: "scopes" });
    this.list = element("div", { class: "choices" });
    this.menu = element(
      "div",
      { class: "menu speaker-menu", popover: "auto", role: "dialog", "aria-label": gettext("Who is speaking?") },
      this.scopes,
      this.input,
      this.list,
    );
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("keydown", (event) => moveInList(event, this.menu));
    this.menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.anchor?.focus());
  }

  /**
   * @param {KnownLine} line
   * @param {HTMLElement} anchor
   * @param {{isWhole?: boolean}} [options] whether only all of its voice can be named
   */
  open(line, anchor, { isWhole = false } = {}) {
    this.line = line;
    this.anchor = anchor;
    this.showScopes(line, isWhole);
    this.input.value = "";
    this.input.placeholder = gettext("Find a name or type a new one");
    this.known = [];
    this.mayAdd = false;
    this.typed();
    openPopover(this.menu, anchor);
    this.input.focus();
  }

  /**
   * @param {KnownLine} line
   * @param {boolean} isWhole
   */
  showScopes(line, isWhole) {
    const { count, isChoice, isAll } = scopeOf(line.spk, this.view.transcript.lines);
    const all = ngettext("All %(count)s line of %(name)s", "All %(count)s lines of %(name)s", count);
    this.scopes.hidden = isWhole || !isChoice;
    this.scopes.replaceChildren(
      element("legend", { class: "visually-hidden" }, gettext("For")),
      scope("voice", isWhole || isAll, fill(all, { count, name: speakerName(line.spk) })),
      scope("line", !isWhole && !isAll, gettext("Only this line")),
    );
  }

  get isWhole() {
    return descendant(this.scopes, "input[value=voice]", HTMLInputElement).checked;
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), ASK_AFTER_MS);
    this.showChoices();
  }

  showChoices() {
    const { line, known, mayAdd } = this;
    if (!line) return;
    const { lines } = this.view.transcript;
    const { colours } = this.view.transcriptView;
    const choices = choicesFor({ typed: this.input.value, speakerId: line.spk.speaker_id, lines, known, mayAdd });
    const buttons = [
      ...choices.here.map((spk) =>
        this.choice(speakerName(spk), speakerInitial(spk), { speaker_id: spk.speaker_id }, colours.of(spk.speaker_id)),
      ),
      ...choices.elsewhere.map(({ speaker_id: id, name }) => this.choice(name, initialOf(name), { speaker_id: id })),
    ];
    if (choices.fresh) {
      buttons.push(
        this.choice(fill(gettext("New: “%(name)s”"), { name: choices.fresh }), "+", { name: choices.fresh }),
      );
    }
    if (choices.stranger) buttons.push(this.choice(gettext("Someone unknown"), "?", { stranger: true }));
    this.list.replaceChildren(...buttons);
  }

  /** Ask the server for people it knows. */
  async ask() {
    /** @type {{people: Person[], may_add: boolean}} */
    const { people, may_add: mayAdd } = await getJson(sessionUrl(this.data, "people", { q: this.input.value.trim() }));
    const isSame = JSON.stringify(people) === JSON.stringify(this.known) && mayAdd === this.mayAdd;
    this.known = people;
    this.mayAdd = mayAdd;
    if (!isSame) this.showChoices();
  }

  /**
   * @param {string} label
   * @param {string} initial
   * @param {Who} who
   * @param {number} [colour]
   */
  choice(label, initial, who, colour = 0) {
    return element(
      "button",
      { type: "button", class: `voice-${colour}`, onclick: () => this.choose(who) },
      element("span", { class: "initial", "aria-hidden": "true" }, initial),
      label,
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.list.querySelector("button")?.click();
    else moveInList(event, this.list);
  }

  /** @param {Who} who */
  async choose(who) {
    const { line } = this;
    if (!line) return;
    const isWhole = this.isWhole && line.spk.speaker_id !== "";
    this.menu.hidePopover();
    await this.edits.try(
      () => {
        const now = this.view.transcript.byId.get(line.id) ?? line;
        return isWhole
          ? { kind: "voice", voice: now.spk.speaker_id, who }
          : { kind: "speaker", seen: this.edits.seen(now), who };
      },
      {
        done: isWhole ? gettext("All lines of this voice have the new name.") : "",
        more: (answer) => this.offerToRemember(answer, line),
      },
    );
  }

  /**
   * Return the offer to remember a voice that has a name now; none for strangers, and where nobody may.
   *
   * @param {Answer} answer
   * @param {KnownLine} line one of the voice
   * @returns {ToastAction | undefined}
   */
  offerToRemember(answer, line) {
    const { offer } = this;
    const spk = answer.lines.find(({ id }) => id === line.id)?.spk;
    if (!offer || !spk || spk.number) return undefined;
    return { label: gettext("Remember this voice…"), onAction: () => offer(spk.speaker_id) };
  }
}

/**
 * @param {string} value
 * @param {boolean} checked
 * @param {string} label
 */
function scope(value, checked, label) {
  return element("label", {}, element("input", { type: "radio", name: "scope", value, checked }), label);
}
