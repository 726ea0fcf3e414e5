// Edits on their way to the server, one after another, and how to take them back.

import { postJson, RequestError, sessionUrl } from "../lib/api.js";
import { toast } from "../lib/toast.js";
import { gettext } from "../lib/words.js";

export class Edits extends EventTarget {
  constructor({ data, transcript }) {
    super();
    this.data = data;
    this.transcript = transcript;
    this.last = Promise.resolve();
    this.undos = [];
    this.redos = [];
  }

  // `make()` gives the edit when its turn has come, with the revisions that are known then; null for none.
  // Raises RequestError; the lines of a conflict are on the page by then.
  do(make, { stack = this.undos } = {}) {
    const done = this.last.then(() => this.send(make(), stack));
    this.last = done.catch(() => {});
    return done;
  }

  async send(edit, stack) {
    if (!edit) return null;
    let answer;
    try {
      answer = await postJson(sessionUrl(this.data, "edits"), edit);
    } catch (error) {
      if (error instanceof RequestError) this.take(error.answer.lines ?? []);
      throw error;
    }
    this.take(answer.lines);
    if (answer.undo) stack.push(answer.undo);
    if (stack === this.undos && edit !== this.redone) this.redos.length = 0;
    this.dispatchEvent(new Event("change"));
    return answer;
  }

  // Not by receiveRevision: the socket still has to bring what others changed before.
  take(lines) {
    for (const line of lines) {
      if (line.removed) this.transcript.remove(line.id);
      else this.transcript.put(line);
    }
  }

  // The mark of a line as it is on this page.
  seen(line) {
    return { line: line.id, revision: this.transcript.byId.get(line.id)?.revision ?? line.revision };
  }

  // Like `do`, for edits whose failure needs no more than a word.
  async try(make, { done = "" } = {}) {
    try {
      const answer = await this.do(make);
      if (done && answer) toast(done, { action: gettext("Undo"), onAction: () => this.undo() });
      return answer;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      toast(error.message, { isError: true });
      return null;
    }
  }

  undo() {
    return this.takeBack(this.undos, this.redos, gettext("That cannot be undone any more: somebody has changed it since."));
  }

  redo() {
    return this.takeBack(this.redos, this.undos, gettext("That cannot be done again: somebody has changed it since."));
  }

  async takeBack(from, to, failure) {
    const edit = from.pop();
    if (!edit) return;
    try {
      this.redone = edit;
      await this.do(() => edit, { stack: to });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      toast(error.status === 409 ? failure : error.message, { isError: true });
    }
    this.dispatchEvent(new Event("change"));
  }
}
