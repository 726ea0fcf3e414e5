// Notes beside the transcript, and what there is of them under its lines: written at any moment, by one key.

/** @import { PageData } from "../connection/messages.js" */
/** @import { PlayerBar } from "../player/player-bar.js" */
/** @import { SessionView } from "../transcript/session-view.js" */
/** @import { Writing } from "./note-form.js" */
/** @import { Note, Thread } from "./notebook.js" */

import { getJson, postJson, RequestError, sessionUrl } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { byId, closest, element, findById, icon } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { fill, gettext, languageOf } from "../lib/words.js";
import { NoteForm } from "./note-form.js";
import { byLine, lineOf, momentMeant, Notebook } from "./notebook.js";

const BOOKMARK = "M6 3h8v14l-4-3.500L6 17z";
const NOTE = "M4 4h12v9H9l-4 3.500V13H4z";
const WIDE = "(min-width: 60.01rem)";

export class NotesPanel {
  notebook = new Notebook();

  /** @param {{data: PageData, view: SessionView, playerBar: PlayerBar}} parts */
  constructor({ data, view, playerBar }) {
    this.data = data;
    this.view = view;
    this.playerBar = playerBar;
    this.panel = byId("notes");
    this.opener = byId("notes-open");
    this.list = byId("note-list");
    this.mayWrite = data.rights.includes("comment");
    this.form = this.mayWrite ? new NoteForm((request) => this.send(request)) : null;
    this.opener.addEventListener("click", () => this.toggle());
    byId("notes-close").addEventListener("click", () => this.close());
    view.transcriptView.container.addEventListener("click", ({ target }) => this.clickedInTranscript(target));
    if (this.mayWrite) this.listenToWriter();
    if (data.notes) this.load(data.notes);
  }

  listenToWriter() {
    for (const button of document.querySelectorAll("[data-bookmark]")) {
      button.addEventListener("click", () => this.bookmark());
    }
    byId("note-add").addEventListener("click", () => this.write());
  }

  // Companion of the view.

  /** @param {number} number of the last change that the server tells of */
  async notesChanged(number) {
    if (this.notebook.isNews(number)) await this.load(number);
  }

  transcriptChanged() {
    this.showInTranscript();
  }

  get threads() {
    return this.notebook.threads;
  }

  // Opening.

  get isOpen() {
    return !this.panel.hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.panel.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    if (!matchMedia(WIDE).matches) this.panel.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.panel.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.form?.close();
    this.opener.focus();
  }

  // Reading.

  /** @param {number} number that these notes have at least */
  async load(number) {
    if (this.data.token) return; // a link shows what was said alone
    this.notebook.asked = number;
    try {
      this.receive(await getJson(sessionUrl(this.data, "notes")));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.notebook.asked = 0; // the next hint asks again
    }
  }

  /** @param {{number: number, notes: Note[]}} answer */
  receive(answer) {
    const hadNone = !this.threads.length;
    if (!this.notebook.take(answer)) return;
    const isFirst = hadNone && this.threads.length > 0;
    byId("note-count").textContent = String(this.threads.length || "");
    this.show();
    if (isFirst) this.goToLinked();
  }

  show() {
    const had = closest(document.activeElement, ".remark")?.id;
    this.list.replaceChildren(...this.threads.map((thread) => this.item(thread)));
    byId("no-notes").hidden = this.threads.length > 0;
    this.playerBar.waveform.setMarks(this.threads.map(({ at_ms: ms }) => ms));
    this.showInTranscript();
    if (had) findById(had)?.querySelector("button")?.focus();
  }

  /** Open the note of the address, as search results have it; without one, the panel where there is room. */
  goToLinked() {
    const linked = location.hash.startsWith("#note-") && findById(location.hash.slice(1));
    if (linked || matchMedia(WIDE).matches) this.open();
    const thread =
      linked &&
      this.threads.find(({ id, comments }) => {
        return [id, ...comments.map((comment) => comment.id)].includes(Number(linked.dataset.note));
      });
    if (!linked || !thread) return;
    linked.classList.add("is-linked");
    this.view.follow.stop();
    this.rowOf(thread)?.scrollIntoView({ block: "center" });
  }

  /** @param {Thread} thread */
  rowOf(thread) {
    const line = lineOf(thread, this.view.transcript.lines);
    return line && this.view.transcriptView.rows.get(line.id);
  }

  /** @param {Thread} thread */
  item(thread) {
    return element(
      "li",
      { class: "remark", id: `note-${thread.id}`, dataset: { note: thread.id } },
      element(
        "p",
        { class: "remark-head" },
        icon(thread.text ? NOTE : BOOKMARK),
        element(
          "button",
          {
            type: "button",
            class: "time",
            "aria-label": fill(gettext("Play from %(time)s"), { time: clock(thread.at_ms) }),
            onclick: () => this.playFrom(thread),
          },
          clock(thread.at_ms),
        ),
        element("strong", {}, thread.author),
      ),
      this.body(thread),
      ...thread.comments.map((comment) => this.comment(comment)),
      this.mayWrite && this.tools(thread),
    );
  }

  /** @param {Note} note */
  body(note) {
    if (!note.text) return element("p", { class: "hint" }, gettext("Bookmark"));
    return element("p", { class: "remark-text", lang: languageOf(note.text) }, note.text);
  }

  /** @param {Note} comment */
  comment(comment) {
    return element(
      "div",
      { class: "remark comment", id: `note-${comment.id}`, dataset: { note: comment.id } },
      element("p", { class: "remark-head" }, element("strong", {}, comment.author)),
      this.body(comment),
      this.mayWrite && this.tools(comment),
    );
  }

  /** @param {Note} note */
  tools(note) {
    const tool = (/** @type {string} */ label, /** @type {() => void} */ onclick) =>
      element("button", { type: "button", class: "quiet", onclick }, label);
    const mayRemove = note.is_own || this.data.rights.includes("edit");
    return element(
      "p",
      { class: "remark-tools" },
      note.answers === null && tool(gettext("Answer"), () => this.answer(note)),
      note.is_own && tool(note.text ? gettext("Change") : gettext("Add a text"), () => this.change(note)),
      mayRemove && tool(gettext("Remove"), () => this.remove(note)),
    );
  }

  /** @param {Thread} thread */
  async playFrom(thread) {
    this.view.follow.stop();
    this.rowOf(thread)?.scrollIntoView({ block: "center", behavior: "smooth" });
    await this.playerBar.player.playFrom(thread.at_ms);
  }

  // Under the lines.

  showInTranscript() {
    const placed = byLine(this.threads, this.view.transcript.lines);
    for (const old of this.view.transcriptView.container.querySelectorAll(".line-notes")) {
      if (!placed.has(Number(closest(old, ".line")?.dataset.line))) old.remove();
    }
    for (const [line, found] of placed) {
      const row = this.view.transcriptView.rows.get(line);
      row?.querySelector(".line-notes")?.remove();
      row?.querySelector(".text")?.after(element("div", { class: "line-notes" }, ...found.map(lineNote)));
    }
  }

  /** @param {EventTarget | null} target */
  clickedInTranscript(target) {
    const mark = closest(target, ".line-note");
    if (!mark) return;
    this.open();
    const item = findById(`note-${mark.dataset.note}`);
    item?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    item?.querySelector("button")?.focus({ preventScroll: true });
  }

  // Writing.

  moment() {
    const { player } = this.playerBar;
    const current =
      document.activeElement === this.view.transcriptView.current ? this.view.transcriptView.current : null;
    const line = this.view.transcript.byId.get(Number(current?.dataset.line));
    return momentMeant({
      isPlaying: player.isPlaying,
      playerMs: player.ms,
      isLive: this.view.isLive,
      nowMs: this.view.nowMs(),
      lineMs: line?.start_ms ?? null,
    });
  }

  /** @param {number} [ms] */
  async bookmark(ms = this.moment()) {
    if (!this.mayWrite) return;
    const note = await this.send({ kind: "add", at_ms: ms, text: "" });
    if (note === undefined) return;
    toast(fill(gettext("Bookmark at %(time)s"), { time: clock(ms) }), {
      action: gettext("Add a text"),
      onAction: () => this.change({ id: note, at_ms: ms, text: "" }),
    });
  }

  /** @param {number} [ms] */
  write(ms = this.moment()) {
    this.openForm({ ms, text: "", request: (text) => ({ kind: "add", at_ms: ms, text }) });
  }

  /** @param {Note} note */
  answer(note) {
    this.openForm({ ms: note.at_ms, text: "", request: (text) => ({ kind: "answer", note: note.id, text }) });
  }

  /** @param {Pick<Note, "id" | "at_ms" | "text">} note */
  change({ id, at_ms: ms, text: before }) {
    this.openForm({ ms, text: before, request: (text) => ({ kind: "change", note: id, text }) });
  }

  /** @param {Writing} writing */
  openForm(writing) {
    if (!this.form) return;
    this.open();
    this.form.open(writing);
  }

  /** @param {Note} note */
  async remove(note) {
    if ((await this.send({ kind: "remove", note: note.id })) === undefined) return;
    toast(gettext("The note was removed."), {
      action: gettext("Undo"),
      onAction: () => this.send({ kind: "restore", note: note.id }),
    });
  }

  /**
   * Ask for a change, and show what there is then; say what is wrong with it.
   *
   * @param {object} request
   * @returns {Promise<number | undefined>} the key of the note
   */
  async send(request) {
    const answer = await answerOrSayWhy(postJson(sessionUrl(this.data, "notes"), request));
    if (answer) this.receive(answer);
    return answer?.note;
  }
}

/** @param {Thread} thread */
function lineNote({ id, text, author, comments }) {
  return element(
    "button",
    { type: "button", class: "line-note", tabindex: -1, dataset: { note: id } },
    icon(text ? NOTE : BOOKMARK),
    element("span", {}, text ? `${author}: ${text}` : author),
    comments.length > 0 && element("span", { class: "hint" }, ` +${comments.length}`),
  );
}
