// What a page says about its connection: nothing while all is well.

import { fill, gettext, ngettext } from "../lib/words.js";

export class ConnectionNote {
  constructor(note) {
    this.note = note;
  }

  show(state, detail, { keptMs = 0 } = {}) {
    this.note.classList.toggle("error", state === "refused");
    if (state === "waiting" || (state === "connecting" && !this.note.hidden)) {
      const kept = Math.round(keptMs / 1000);
      this.say(
        kept
          ? fill(
              ngettext(
                "The connection is lost; trying again. %(kept)s second of your recording is kept here and will be sent.",
                "The connection is lost; trying again. %(kept)s seconds of your recording are kept here and will be sent.",
                kept,
              ),
              { kept },
            )
          : gettext("The connection is lost; trying again. Nothing will be missing."),
      );
    } else if (state === "refused") {
      this.say(refusal(detail));
    } else if (state === "open" || state === "done") {
      this.note.hidden = true;
    }
  }

  say(text) {
    this.note.hidden = false;
    if (this.note.textContent !== text) this.note.textContent = text;
  }
}

function refusal(error) {
  switch (error.code) {
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
      return error.message;
  }
}
