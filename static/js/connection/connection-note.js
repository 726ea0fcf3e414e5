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
   * @param {{unsentMs?: number, lostMs?: number}} [audio] that waits for the connection, and that found no room
   */
  show(state, fault, audio = {}) {
    this.note.classList.toggle("error", state === "refused");
    if (state === "waiting" || (state === "connecting" && !this.note.hidden)) this.say(waiting(audio));
    else if (state === "refused" && fault) this.say(refusal(fault));
    else if (state === "open" && audio.lostMs) this.say(missing(audio.lostMs));
    else if (state === "open" || state === "done") this.note.hidden = true;
  }

  /** @param {string} text */
  say(text) {
    this.note.hidden = false;
    setText(this.note, text);
  }
}

/**
 * Say how much of the recording is lost for good.
 *
 * @param {number} lostMs
 */
export function missing(lostMs) {
  const minutes = Math.ceil(lostMs / 60_000);
  const text = ngettext(
    "The connection was away for so long that %(minutes)s minute of your recording found no room here. It is missing.",
    "The connection was away for so long that %(minutes)s minutes of your recording found no room here. They are missing.",
    minutes,
  );
  return fill(text, { minutes });
}

/**
 * Say that a connection is lost.
 *
 * @param {{unsentMs?: number, lostMs?: number}} audio
 */
export function waiting({ unsentMs = 0, lostMs = 0 }) {
  if (lostMs) return missing(lostMs);
  const kept = Math.round(unsentMs / 1000);
  if (!kept) return gettext("Connection lost; reconnecting. Nothing will be missing.");
  const text = ngettext(
    "Connection lost; reconnecting. %(kept)s second of your recording is kept on this page and will be sent.",
    "Connection lost; reconnecting. %(kept)s seconds of your recording are kept on this page and will be sent.",
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
      return gettext("This meeting has ended and cannot be continued. Choose another meeting ID to start a new one.");
    case "superseded":
      return gettext("Another window or device is recording this meeting now.");
    case "recognition_failed":
      return gettext(
        "Recognition failed, and the meeting has ended. Its lines and recording are kept. Choose another meeting ID to continue.",
      );
    case "unauthorized":
    case "forbidden":
      return gettext("You do not have permission to do this in this meeting.");
    default:
      return fault.message;
  }
}
