// Lines in another language, as the socket tells them. Pure.

/** @import { TranslationsMessage } from "../connection/messages.js" */

export class Translations {
  /** Up to this number they are known; what to ask for after a lost connection. */
  number = 0;
  /** Empty for none. */
  language = "";
  /** By the ids of their lines. @type {Map<number, string>} */
  texts = new Map();

  /**
   * @param {Omit<TranslationsMessage, "type">} message
   * @returns {number[]} ids of the lines of which something else is to be shown
   */
  receive({ number, language, lines }) {
    const changed = new Set(lines.map(({ id }) => id));
    if (language !== this.language) {
      for (const id of this.texts.keys()) changed.add(id);
      this.texts.clear();
      this.language = language;
    }
    for (const { id, text } of lines) this.texts.set(id, text);
    this.number = Math.max(this.number, number);
    return [...changed];
  }

  /**
   * Forget what a line said before it was changed.
   *
   * @param {number} id
   */
  forget(id) {
    this.texts.delete(id);
  }
}
