// What a page says about its connection: nothing while all is well.

/** @import { Fault } from "./messages.js" */
/** @import { ConnectionState } from "./session-socket.js" */

import { setText } from "../lib/dom.js";
import { fill, gettext, ngettext } from "../lib/words.js";

export class ConnectionNote {
  /** @param {HTMLElement} note */
  constructor(note) {
    this.note = note;
  }

  /**
   * @param {ConnectionState} state
   * @param {Fault} [fault] of a connection that was refused
   * @param {{unsentMs?: number}} [options] audio that waits for the connection
   */
  show(state, fault, { unsentMs = 0 } = {}) {
    this.note.classList.toggle("error", state === "refused");
    if (state === "waiting" || (state === "connecting" && !this.note.hidden)) this.say(waiting(unsentMs));
    else if (state === "refused" && fault) this.say(refusal(fault));
    else if (state === "open" || state === "done") this.note.hidden = true;
  }

  /** @param {string} text */
  say(text) {
    this.note.hidden = false;
    setText(this.note, text);
  }
}

/**
 * Say that a connection is lost.
 *
 * @param {number} unsentMs
 */
export function waiting(unsentMs) {
  const kept = Math.round(unsentMs / 1000);
  if (!kept) return gettext("The connection is lost; trying again. Nothing will be missing.");
  const text = ngettext(
    "The connection is lost; trying again. %(kept)s second of your recording is kept here and will be sent.",
    "The connection is lost; trying again. %(kept)s seconds of your recording are kept here and will be sent.",
    kept,
  );
  return fill(text, { kept });
}

/**
 * Say why a connection was refused.
 *
 * @param {Pick<Fault, "code" | "message">} fault
 */
export function refusal(fault) {
  switch (fault.code) {
    case "session_ended":
      return gettext("This session has ended and cannot go on. Take another session ID for a new one.");
    case "superseded":
      return gettext("Another window or device records this session now.");
    case "recognition_failed":
      return gettext(
        "Recognition failed, and the session ended. Its lines and its recording are kept. Take another session ID to go on.",
      );
    case "unauthorized":
    case "forbidden":
      return gettext("You do not have the right to do this with this session.");
    default:
      return fault.message;
  }
}
