// Minutes beside the transcript: what a machine found, with the lines that carry it a click away, and people's hands on it.

/** @import { PageData } from "../connection/messages.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { Item, Minutes, Section, WriterState } from "./minutes.js" */

import { getJson, postJson, RequestError, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { byId, element, findById, setText } from "../lib/dom.js";
import { timeText } from "../lib/moments.js";
import { onDemand } from "../lib/on-demand.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext, languageOf } from "../lib/words.js";
import { Asking } from "./asking.js";
import { dueText, filledSections } from "./minutes.js";
import { Writer } from "./writer.js";

const MAX_CITED = 4;
const WIDE = "(min-width: 60.01rem)";
/** After the end of a meeting, a worker makes its minutes: asked for again after so many milliseconds. */
const WAITS_MS = [1500, 3000, 5000, 10000, 20000, 40000];
/** While it goes on, they are made every few minutes: looked for this often, by pages that somebody sees. */
const LOOK_MS = 45000;

export class MinutesPanel {
  /** @type {Minutes | null} */
  minutes = null;
  /** Whether what came up from now on was followed by the reader. */
  hasCaughtUp = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  looking;
  /** What the form is about: one of the items, or a section that gets a new one. @type {Item | Section | null} */
  writing = null;

  /** @param {{data: PageData, view: SessionView, playerBar: PlayerBar, notes: {write: (ms: number) => void}}} parts */
  constructor({ data, view, playerBar, notes }) {
    this.data = data;
    this.view = view;
    this.playerBar = playerBar;
    this.notes = notes;
    this.panel = byId("minutes");
    this.opener = byId("minutes-open");
    this.body = byId("minutes-body");
    this.mayEdit = data.rights.includes("edit") && findById("minutes-form") !== null;
    this.mayChange = this.mayEdit;
    new Asking({
      askUrl: new URL("../ask/questions", new URL(data.sessionsUrl, location.href)).href,
      session: data.key,
      cite: (line, ms) => this.cite(line, ms),
    });
    this.opener.addEventListener("click", () => this.toggle());
    byId("minutes-close").addEventListener("click", () => this.close());
    if (this.mayEdit) this.listenToWriter();
    this.setUpMailing();
    this.writer = this.mayEdit ? new Writer({ data, panel: this }) : null;
  }

  setUpMailing() {
    const mailing = onDemand(
      () => import("./mailing.js"),
      ({ Mailing }) => new Mailing(this.data),
    );
    findById("mail-open")?.addEventListener("click", () => mailing((dialog) => dialog.open()));
  }

  listenToWriter() {
    const form = byId("minutes-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.closeForm();
    });
    byId("minutes-cancel").addEventListener("click", () => this.closeForm());
    findById("minutes-again")?.addEventListener("click", () => this.send({ kind: "again" }));
  }

  // Companion of the view.

  ended() {
    clearInterval(this.looking);
    this.waitFor();
  }

  // Opening.

  toggle() {
    if (!this.panel.hidden) {
      this.close();
      return;
    }
    this.open();
    this.panel.scrollIntoView({ block: "nearest" });
  }

  open() {
    this.panel.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
  }

  /** Open where there is room, the first time that there is something to be done or settled, or was missed. */
  openIfTelling() {
    const { items = [], is_so_far: isSoFar } = this.minutes ?? {};
    const isTelling = items.some(({ section }) => isSoFar || section === "decision" || section === "action");
    if (isTelling && matchMedia(WIDE).matches) this.open();
  }

  close() {
    this.panel.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.opener.focus();
  }

  // Reading.

  /** Keep up with a meeting that goes on. What there is when the page is opened was missed: it is shown at once. */
  async followLive() {
    this.looking = setInterval(() => document.hidden || this.load(), LOOK_MS);
    await this.load();
    this.hasCaughtUp = true;
  }

  async load() {
    try {
      this.receive(await getJson(sessionUrl(this.data, "minutes")));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
    return this.minutes !== null && !this.minutes.is_so_far;
  }

  async waitFor() {
    for (const wait of WAITS_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (await this.load()) return;
    }
  }

  /** @param {{minutes: Minutes | null, writer?: WriterState | null}} answer */
  receive({ minutes, writer }) {
    const isFirst = !this.minutes;
    this.minutes = minutes;
    this.opener.hidden = !minutes;
    if (minutes) this.show(minutes);
    if (isFirst && !this.hasCaughtUp) this.openIfTelling();
    if (writer) this.writer?.show(writer);
  }

  /** @param {Minutes} minutes */
  show(minutes) {
    byId("minutes-stale").hidden = !minutes.is_out_of_date;
    this.mayChange = this.mayEdit && !minutes.is_so_far;
    findById("minutes-mail")?.toggleAttribute("hidden", minutes.is_so_far);
    this.showMoment(minutes);
    const opened = new Map([...this.body.querySelectorAll("details")].map((each) => [each.dataset.section, each.open]));
    const sections = filledSections(minutes.items);
    this.closeForm();
    this.body.replaceChildren(
      ...(minutes.key_words.length ? [this.keyWords(minutes)] : []),
      ...sections.map(({ section, isOpen, items }) => this.section(section, items, opened.get(section) ?? isOpen)),
      ...(sections.length ? [] : [element("p", { class: "hint" }, gettext("Nothing was found to be noted."))]),
      ...(this.mayChange ? [this.adders()] : []),
    );
  }

  /** @param {Minutes} minutes */
  showMoment({ is_so_far: isSoFar, made_at: madeAt }) {
    setText(byId("minutes-title"), isSoFar ? gettext("So far") : gettext("Minutes"));
    byId("minutes-so-far").hidden = !isSoFar;
    const text = gettext("Of what was said until %(time)s; more every few minutes.");
    setText(byId("minutes-so-far"), isSoFar ? fill(text, { time: timeText(madeAt) }) : "");
  }

  /** @param {Minutes} minutes */
  keyWords({ key_words: words }) {
    return element(
      "ul",
      { class: "key-words", "aria-label": gettext("Key words") },
      ...words.map(({ word, count }) =>
        element(
          "li",
          {},
          element(
            "button",
            {
              type: "button",
              lang: languageOf(word),
              title: fill(gettext("Said %(count)s times: find it"), { count }),
              onclick: () => this.find(word),
            },
            word,
          ),
        ),
      ),
    );
  }

  /** @param {string} word */
  find(word) {
    const field = byId("find-text", HTMLInputElement);
    if (byId("finder").hidden) byId("find-open").click();
    field.value = word;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /**
   * @param {Section} section
   * @param {Item[]} items
   * @param {boolean} isOpen
   */
  section(section, items, isOpen) {
    return element(
      "details",
      { class: "minutes-section", open: isOpen, dataset: { section } },
      element("summary", {}, headings()[section], " ", element("span", { class: "count" }, String(items.length))),
      element("ol", { class: "minutes-list" }, ...items.map((item) => this.item(item))),
    );
  }

  /** @param {Item} item */
  item(item) {
    return element(
      "li",
      { class: `remark statement${item.is_done ? " is-done" : ""}`, dataset: { item: item.id } },
      element(
        "p",
        { class: "statement-text", lang: languageOf(item.text) },
        item.section === "action" && this.mayChange && this.doneBox(item),
        item.text,
      ),
      element(
        "p",
        { class: "remark-head statement-facts" },
        ...item.lines.slice(0, MAX_CITED).map((line) => this.playButton(line)),
        ...facts(item),
        item.source === "model" && element("span", { class: "hint" }, gettext("by the language model")),
        item.is_edited && element("span", { class: "hint" }, gettext("edited")),
        this.mayChange && this.tools(item),
      ),
    );
  }

  /** @param {Item} item */
  doneBox(item) {
    return element("input", {
      type: "checkbox",
      checked: item.is_done,
      "aria-label": gettext("Done"),
      onchange: () => this.send({ kind: item.is_done ? "undone" : "done", item: item.id }),
    });
  }

  /** @param {{line_id: number, start_ms: number}} line */
  playButton({ line_id: id, start_ms: ms }) {
    return element(
      "button",
      {
        type: "button",
        class: "time",
        "aria-label": fill(gettext("Hear it at %(time)s"), { time: clock(ms) }),
        onclick: () => this.cite(id, ms),
      },
      clock(ms),
    );
  }

  /** @param {Item} item */
  tools(item) {
    const tool = (/** @type {string} */ label, /** @type {() => void} */ onclick) =>
      element("button", { type: "button", class: "quiet", onclick }, label);
    return element(
      "span",
      { class: "remark-tools statement-tools" },
      this.data.rights.includes("comment") && tool(gettext("Comment"), () => this.notes.write(item.at_ms)),
      tool(gettext("Reword"), () => this.reword(item)),
      tool(gettext("Take out"), () => this.remove(item)),
    );
  }

  adders() {
    const adder = (/** @type {Section} */ section, /** @type {string} */ label) =>
      element("button", { type: "button", class: "quiet", onclick: () => this.add(section) }, label);
    return element(
      "p",
      { class: "remark-tools minutes-adders" },
      adder("decision", gettext("Add a decision")),
      adder("action", gettext("Add a to-do")),
    );
  }

  /**
   * Show the line that carries a statement, and play it.
   *
   * @param {number} id
   * @param {number} ms
   */
  async cite(id, ms) {
    this.view.follow.stop();
    this.view.showLine(id);
    await this.playerBar.player.playFrom(ms);
  }

  // Writing.

  /** @param {Item} item */
  reword(item) {
    this.openForm(item, item.text, this.rowOf(item));
    byId("minutes-fields").hidden = item.section !== "action";
    this.fillPeople(item.who?.speaker_id ?? "");
    byId("minutes-due", HTMLInputElement).value = item.due ?? "";
    this.rowOf(item)?.toggleAttribute("hidden", true);
  }

  /** @param {Section} section */
  add(section) {
    this.openForm(section, "", this.body.querySelector(".minutes-adders"));
    byId("minutes-fields").hidden = true;
  }

  /**
   * @param {Item | Section} about
   * @param {string} text
   * @param {Element | null} place
   */
  openForm(about, text, place) {
    this.closeForm();
    this.writing = about;
    const form = byId("minutes-form", HTMLFormElement);
    const field = byId("minutes-text", HTMLTextAreaElement);
    field.value = text;
    place?.after(form);
    form.hidden = false;
    field.focus();
  }

  /** @param {string} chosen */
  fillPeople(chosen) {
    const people = this.minutes?.talk ?? [];
    byId("minutes-who").replaceChildren(
      element("option", { value: "" }, gettext("Nobody in particular")),
      ...people.map(({ speaker_id: id, speaker_name: name }) =>
        element("option", { value: id, selected: id === chosen }, name),
      ),
    );
  }

  /** @param {Item} item */
  rowOf({ id }) {
    return this.body.querySelector(`[data-item="${id}"]`);
  }

  closeForm() {
    const form = findById("minutes-form");
    if (!form || form.hidden) return;
    if (this.writing && typeof this.writing !== "string") this.rowOf(this.writing)?.removeAttribute("hidden");
    this.writing = null;
    form.hidden = true;
    this.panel.querySelector(".minutes-honest")?.before(form); // out of what is drawn anew
  }

  async save() {
    const { writing } = this;
    const text = byId("minutes-text", HTMLTextAreaElement).value.trim();
    if (!writing || !text) return;
    if (typeof writing === "string") {
      await this.send({ kind: "add", section: writing, text, lines: this.currentLines() });
      return;
    }
    const task = {
      who: byId("minutes-who", HTMLSelectElement).value,
      due: byId("minutes-due", HTMLInputElement).value,
    };
    await this.send({ kind: "change", item: writing.id, text, ...(writing.section === "action" ? task : {}) });
  }

  /** A new statement is about the line where the player stands. */
  currentLines() {
    const { ms } = this.playerBar.player;
    const line = ms > 0 && this.view.transcript.lines.findLast((each) => each.start_ms <= ms);
    return line ? [line.id] : [];
  }

  /** @param {Item} item */
  async remove(item) {
    if ((await this.send({ kind: "remove", item: item.id })) === undefined) return;
    toast(gettext("It was taken out of the minutes."), {
      action: gettext("Undo"),
      onAction: () => this.send({ kind: "restore", item: item.id }),
    });
  }

  /** @param {object} request */
  async send(request) {
    const answer = await answerOrSayWhy(postJson(sessionUrl(this.data, "minutes"), request));
    if (answer) this.receive(answer);
    return answer;
  }
}

/** @param {Item} item */
function facts(item) {
  const { section, who } = item;
  if (section === "question") return who ? [element("span", {}, who.speaker_name)] : [];
  if (!["action", "date", "figure"].includes(section)) return [];
  const found = [who?.speaker_name, dueText(item, document.documentElement.lang)];
  return found.filter(Boolean).map((fact) => element("span", { class: "fact" }, fact ?? ""));
}

/** @returns {Record<Section, string>} */
function headings() {
  return {
    summary: gettext("Summary"),
    decision: gettext("Decisions"),
    action: gettext("To do"),
    chapter: gettext("Chapters"),
    question: gettext("Questions asked"),
    date: gettext("Dates named"),
    figure: gettext("Figures named"),
  };
}
