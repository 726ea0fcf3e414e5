// Saying who speaks: this line, or everything of that voice; somebody of this session, somebody known, or
// somebody new.

import { getJson, sessionUrl } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { moveInList, openPopover } from "../lib/popover.js";
import { fill, gettext, ngettext, speakerInitial, speakerName } from "../lib/words.js";

const ASK_AFTER_MS = 150;

export class SpeakerMenu {
  constructor({ data, view, edits }) {
    this.data = data;
    this.view = view;
    this.edits = edits;
    this.input = element("input", { type: "text", autocomplete: "off", maxlength: 100, "aria-label": gettext("Name") });
    this.scopes = element("fieldset", { class: "scopes" });
    this.list = element("div", { class: "choices" });
    this.menu = element("div", { class: "menu speaker-menu", popover: "auto", role: "dialog", "aria-label": gettext("Who is speaking?") }, this.scopes, this.input, this.list);
    this.input.addEventListener("input", () => this.showChoices());
    this.input.addEventListener("keydown", (event) => this.typed(event));
    this.list.addEventListener("keydown", (event) => moveInList(event, this.menu));
    this.menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.closed());
  }

  // `line` is what was chosen; `whole`: only all of its voice can be named.
  open(line, anchor, { whole = false } = {}) {
    this.line = line;
    this.anchor = anchor;
    this.showScopes(line, whole);
    this.input.value = "";
    this.input.placeholder = gettext("Find a name or type a new one");
    this.known = [];
    this.mayAdd = false;
    this.showChoices();
    openPopover(this.menu, anchor);
    this.input.focus();
  }

  closed() {
    this.anchor?.focus?.();
  }

  showScopes(line, whole) {
    const count = this.view.transcript.lines.filter((other) => other.spk.speaker_id === line.spk.speaker_id).length;
    // A stranger who gets a name gets it everywhere; a wrong name is mostly one line's.
    const isAll = whole || (Boolean(line.spk.number) && count > 1);
    const all = fill(
      ngettext("All %(count)s line of %(name)s", "All %(count)s lines of %(name)s", count),
      { count, name: speakerName(line.spk) },
    );
    this.scopes.hidden = whole || count < 2 || !line.spk.speaker_id;
    this.scopes.replaceChildren(
      element("legend", { class: "visually-hidden" }, gettext("For")),
      element("label", {}, element("input", { type: "radio", name: "scope", value: "voice", checked: isAll }), all),
      element("label", {}, element("input", { type: "radio", name: "scope", value: "line", checked: !isAll }), gettext("Only this line")),
    );
  }

  get isWhole() {
    return this.scopes.querySelector("input[value=voice]").checked;
  }

  // What can be chosen, for what was typed.
  showChoices() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), ASK_AFTER_MS);
    const typed = this.input.value.trim();
    const matches = (name) => name.toLowerCase().includes(typed.toLowerCase());
    const present = new Map();
    for (const { spk } of this.view.transcript.lines) {
      if (spk.speaker_id && spk.speaker_id !== this.line.spk.speaker_id) present.set(spk.speaker_id, spk);
    }
    const here = [...present.values()].filter((spk) => matches(speakerName(spk)));
    const elsewhere = this.known.filter(({ speaker_id: id, name }) => !present.has(id) && id !== this.line.spk.speaker_id && matches(name));
    const isNew = typed && this.mayAdd && ![...here.map(speakerName), ...elsewhere.map(({ name }) => name)].includes(typed);
    this.list.replaceChildren(
      ...here.map((spk) =>
        this.choice(speakerName(spk), speakerInitial(spk), { speaker_id: spk.speaker_id }, this.view.view.colours.of(spk.speaker_id)),
      ),
      ...elsewhere.map(({ speaker_id: id, name }) => this.choice(name, [...name][0], { speaker_id: id })),
      ...(isNew ? [this.choice(fill(gettext("New: “%(name)s”"), { name: typed }), "+", { name: typed })] : []),
      ...(typed ? [] : [this.choice(gettext("Somebody unknown"), "?", { stranger: true })]),
    );
  }

  async ask() {
    const { people, may_add: mayAdd } = await getJson(sessionUrl(this.data, "people", { q: this.input.value.trim() }));
    const isSame = JSON.stringify(people) === JSON.stringify(this.known) && mayAdd === this.mayAdd;
    this.known = people;
    this.mayAdd = mayAdd;
    if (!isSame) this.showChoices();
  }

  choice(label, initial, who, colour = 0) {
    return element(
      "button",
      { type: "button", class: `voice-${colour}`, onclick: () => this.choose(who) },
      element("span", { class: "initial", "aria-hidden": "true" }, initial),
      label,
    );
  }

  typed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.list.querySelector("button")?.click();
    else moveInList(event, this.list);
  }

  choose(who) {
    const { line } = this;
    const isWhole = this.isWhole && line.spk.speaker_id;
    this.menu.hidePopover();
    return this.edits.try(
      () => {
        const now = this.view.transcript.byId.get(line.id) ?? line;
        return isWhole
          ? { kind: "voice", voice: now.spk.speaker_id, who }
          : { kind: "speaker", seen: this.edits.seen(now), who };
      },
      { done: isWhole ? gettext("All lines of this voice have the new name.") : "" },
    );
  }
}
