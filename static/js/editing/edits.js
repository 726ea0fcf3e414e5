// Edits on their way to the server, one after another, and how to take them back.

/** @import { PageData } from "../connection/messages.js" */
/** @import { ToastAction } from "../lib/toast.js" */
/** @import { Transcript } from "../transcript/transcript.js" */
/** @import { Answer, Edit, EditedLine, Seen } from "./requests.js" */

import { postJson, RequestError, sessionUrl } from "../lib/api.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { toast } from "../lib/toast.js";
import { gettext } from "../lib/words.js";
import { marksOf } from "./requests.js";

/** @typedef {{edit: Edit, was: Record<string, number>}} Step an edit that takes one back, and the revisions that lines had before that one */

/** Dispatches "change" when there is more or less to undo or redo. */
export class Edits extends EventTarget {
  /** @type {Promise<unknown>} */
  last = Promise.resolve();
  /** @type {Step[]} */
  undos = [];
  /** @type {Step[]} */
  redos = [];
  /** @type {Edit | undefined} */
  redone;

  /** @param {{data: PageData, transcript: Transcript}} parts */
  constructor({ data, transcript }) {
    super();
    this.data = data;
    this.transcript = transcript;
  }

  /**
   * Send an edit after those before it. Throws RequestError; the lines of a conflict are on the page by then.
   *
   * @param {() => Edit | null} make called when its turn has come, with the revisions that are known then
   * @param {{stack?: Step[]}} [options] where its undoing is put
   * @returns {Promise<Answer | null>} null where there was nothing to send
   */
  do(make, { stack = this.undos } = {}) {
    const done = this.last.then(() => this.send(make(), stack));
    this.last = done.catch(() => {});
    return done;
  }

  /**
   * @param {Edit | null} edit
   * @param {Step[]} stack
   */
  async send(edit, stack) {
    if (!edit) return null;
    /** @type {Answer} */
    let answer;
    try {
      answer = await postJson(sessionUrl(this.data, "edits"), edit);
    } catch (error) {
      if (error instanceof RequestError) this.take(error.answer.lines ?? []);
      throw error;
    }
    this.take(answer.lines);
    if (answer.undo) stack.push({ edit: answer.undo, was: answer.was ?? {} });
    if (stack === this.undos && edit !== this.redone) this.redos.length = 0;
    this.dispatchEvent(new Event("change"));
    return answer;
  }

  /**
   * Take lines as the server has them now. Not by receiveRevision: the socket still has to bring what others changed
   * before.
   *
   * @param {EditedLine[]} lines
   */
  take(lines) {
    for (const line of lines) {
      if (line.removed) this.transcript.remove(line.id);
      else this.transcript.put(line);
    }
  }

  /**
   * Return the mark of a line as it is on this page.
   *
   * @param {{id: number, revision?: number}} line
   * @returns {Seen}
   */
  seen(line) {
    return { line: line.id, revision: this.transcript.byId.get(line.id)?.revision ?? line.revision ?? 0 };
  }

  /**
   * Send an edit whose failure needs no more than a word.
   *
   * @param {() => Edit | null} make
   * @param {{done?: string, more?: (answer: Answer) => ToastAction | undefined}} [options] what is said when it is done,
   *   with an offer to undo it, and another one
   * @returns {Promise<Answer | null>} null where nothing was done
   */
  async try(make, { done = "", more } = {}) {
    const answer = await answerOrSayWhy(this.do(make));
    if (done && answer) {
      toast(done, { action: gettext("Undo"), onAction: () => this.undo(), more: more?.(answer) });
    }
    return answer;
  }

  undo() {
    return this.takeBack(
      this.undos,
      this.redos,
      gettext("This can no longer be undone: someone has changed it since."),
    );
  }

  redo() {
    return this.takeBack(
      this.redos,
      this.undos,
      gettext("This can no longer be redone: someone has changed it since."),
    );
  }

  /**
   * @param {Step[]} from
   * @param {Step[]} to
   * @param {string} failure what is said of a conflict
   */
  async takeBack(from, to, failure) {
    let step = /** @type {Step | undefined} */ (undefined);
    const make = () => {
      step = from.pop(); // in its turn: what is on its way changes which step is the last, and its revisions
      this.redone = step?.edit;
      return step?.edit ?? null;
    };
    try {
      const answer = await this.do(make, { stack: to });
      if (step && answer) followLines(from, step.was, answer.lines);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      toast(error.status === 409 ? failure : error.message, { isError: true });
    }
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Let the steps before follow lines that read again as those steps left them: their revisions are new ones.
 *
 * @param {Step[]} steps
 * @param {Record<string, number>} was the revisions that lines had when they last read so
 * @param {EditedLine[]} lines
 */
function followLines(steps, was, lines) {
  const marks = steps.flatMap(({ edit }) => marksOf(edit));
  for (const { id, revision } of lines) {
    for (const mark of marks) if (mark.line === id && mark.revision === was[id]) mark.revision = revision;
  }
}
