// What is being said: the words that are certain, and in a lighter tone behind them those that may still change.

/** @import { PartialMessage } from "../connection/messages.js" */

import { descendant, setText } from "../lib/dom.js";
import { languageOf } from "../lib/words.js";

export class PartialView {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.firm = descendant(place, ".firm");
    this.tail = descendant(place, ".tail");
  }

  /** @param {Pick<PartialMessage, "asr" | "tail">} message */
  show({ asr, tail = "" }) {
    this.place.hidden = !(asr + tail);
    setText(this.firm, asr);
    setText(this.tail, tail);
    this.place.lang = languageOf(asr + tail);
  }

  clear() {
    this.show({ asr: "" });
  }
}
