// The page of one session.

/** @import { PageData, SessionState, Snapshot } from "../connection/messages.js" */

import { ConnectionNote } from "../connection/connection-note.js";
import { SessionSocket, socketAddress } from "../connection/session-socket.js";
import { byId, findById, pageData } from "../lib/dom.js";
import { ScreenLock } from "../lib/screen-lock.js";
import { rememberedSender } from "../recording/remembering.js";
import { setUpTools } from "../session/session-tools.js";
import { SessionView } from "../transcript/session-view.js";

/** @type {PageData & {state: SessionState, transcript: Snapshot}} */
const data = pageData();
const note = new ConnectionNote(byId("connection"));
const view = new SessionView({ state: data.state, until: data.until, snapshot: data.transcript });

function receive() {
  const socket = new SessionSocket({
    address: () => socketAddress(data.key, { mode: "receiver", v: 2, stay: 1, token: data.token, ...view.marks }),
    onMessage: (message) => view.receive(message),
    onState: (state, fault) => note.show(state, fault),
  });
  socket.open();
  return socket;
}

/** @param {SessionSocket} receiver which the recorder takes the place of */
function offerToGoOn(receiver) {
  const resume = rememberedSender(data.key);
  const offer = findById("continue");
  if (!resume || !offer || !view.isLive) return;
  offer.hidden = false;
  byId("continue-button").addEventListener("click", async () => {
    // Only who was recording needs them: readers do without.
    const [{ MicrophoneError }, { Recorder }] = await Promise.all([
      import("../recording/microphone.js"),
      import("../recording/recorder.js"),
    ]);
    const recorder = new Recorder({ key: data.key, data, resume, view, note });
    try {
      await recorder.start();
      receiver.close();
      offer.hidden = true;
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      note.say(error.message);
    }
  });
}

offerToGoOn(receive());
setUpTools({ data, view });
const screen = new ScreenLock(() => view.isLive);
view.companions.push({ ended: () => screen.look() });
