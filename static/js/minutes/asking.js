// Questions to a meeting or to all: lines that match at once, and a language model's answers, once somebody has sent it.

import { getJson, postJson } from "../lib/api.js";
import { clock } from "../lib/clock.js";
import { byId, element } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { fill, gettext, languageOf } from "../lib/words.js";

const LOOK_MS = 1500;

/**
 * A line that was found.
 *
 * @typedef {object} FoundLine
 * @property {number} line_id
 * @property {number} start_ms
 * @property {string} speaker_name
 * @property {string} text
 * @property {string} session
 * @property {string} url
 */

/**
 * What a language model would be sent.
 *
 * @typedef {object} Request
 * @property {string} model
 * @property {string} server
 * @property {number} tokens
 * @property {string[][]} requests
 */

export class Asking {
  /** Counts questions: what is found for an earlier one is not shown. */
  turn = 0;

  /**
   * @param {object} parts
   * @param {string} parts.askUrl
   * @param {string} [parts.session] the key of the one meeting that is asked
   * @param {(line: number, ms: number) => unknown} [parts.cite] plays a line that is on this page
   */
  constructor({ askUrl, session = "", cite }) {
    this.askUrl = askUrl;
    this.session = session;
    this.cite = cite;
    this.found = byId("ask-found");
    byId("ask-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  async ask() {
    const turn = ++this.turn;
    const question = byId("ask-text", HTMLInputElement).value;
    const answer = await answerOrSayWhy(postJson(this.askUrl, { question, session: this.session }));
    if (!answer || turn !== this.turn) return;
    this.found.replaceChildren(
      ...(answer.question === null ? [] : [this.offer(answer.question, answer.request)]),
      element("h3", {}, answer.lines.length ? gettext("Lines that match best") : gettext("No line matches.")),
      element(
        "ol",
        { class: "minutes-list" },
        ...answer.lines.map((/** @type {FoundLine} */ line) =>
          statement(line.text, this.place(line), element("span", {}, line.speaker_name)),
        ),
      ),
    );
  }

  /**
   * Return what leads to a line: a button that plays it where it is on this page, else a link.
   *
   * @param {FoundLine} line
   */
  place({ line_id: id, start_ms: ms, url, session }) {
    const { cite } = this;
    if (!cite) return element("a", { href: url }, `${session} ${clock(ms)}`);
    const label = fill(gettext("Hear it at %(time)s"), { time: clock(ms) });
    return element(
      "button",
      { type: "button", class: "time", "aria-label": label, onclick: () => cite(id, ms) },
      clock(ms),
    );
  }

  /**
   * Offer to have it answered: after what is sent is shown, and by a click.
   *
   * @param {number} question
   * @param {Request} request
   */
  offer(question, { model, server, tokens, requests }) {
    const where = fill(gettext("Sends about %(tokens)s tokens to the model %(model)s on %(server)s."), {
      tokens,
      model,
      server,
    });
    const box = element("div", { class: "ask-offer" });
    box.append(
      element(
        "button",
        { type: "button", onclick: () => this.send(question, box) },
        gettext("Answer with the language model"),
      ),
      element("p", { class: "hint" }, where),
      element(
        "details",
        {},
        element("summary", {}, gettext("All that is sent")),
        element("pre", { class: "writer-text", tabindex: 0 }, requests.flat().join("\n\n")),
      ),
    );
    return box;
  }

  /**
   * @param {number} question
   * @param {HTMLElement} box
   */
  async send(question, box) {
    const { turn } = this;
    const url = `${this.askUrl}/${question}`;
    let state = await answerOrSayWhy(postJson(url, {}));
    if (!state) return;
    box.replaceChildren(element("p", { class: "hint", role: "status" }, gettext("The language model is reading…")));
    while (state?.is_at_work && turn === this.turn) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      state = await answerOrSayWhy(getJson(url));
    }
    if (state && turn === this.turn) box.replaceChildren(...this.answers(state));
  }

  /** @param {{error: string, answers: {text: string, lines: FoundLine[]}[] | null}} state */
  answers({ error, answers }) {
    if (!answers) return [element("p", { class: "hint" }, error)];
    if (!answers.length) {
      return [element("p", { class: "hint" }, gettext("The language model gave no answer that these lines carry."))];
    }
    return [
      element("h3", {}, gettext("By the language model")),
      element(
        "ol",
        { class: "minutes-list" },
        ...answers.map(({ text, lines }) => statement(text, ...lines.map((line) => this.place(line)))),
      ),
    ];
  }
}

/**
 * Return a text as an item of a list, with what carries it.
 *
 * @param {string} text
 * @param {...HTMLElement} facts
 */
function statement(text, ...facts) {
  return element(
    "li",
    { class: "remark statement" },
    element("p", { class: "statement-text", lang: languageOf(text) }, text),
    element("p", { class: "remark-head statement-facts" }, ...facts),
  );
}
