// The page of one session.

import { ConnectionNote } from "../connection/connection-note.js";
import { pageData } from "../lib/dom.js";
import { MicrophoneError } from "../recording/microphone.js";
import { Recorder, rememberedSender } from "../recording/recorder.js";
import { SessionSocket, socketAddress } from "../connection/session-socket.js";
import { setUpTools } from "../session/session-tools.js";
import { SessionView } from "../transcript/session-view.js";

const data = pageData();
const note = new ConnectionNote(document.getElementById("connection"));
const view = new SessionView({ state: data.state, snapshot: data.transcript });

function receive() {
  const socket = new SessionSocket({
    address: () => socketAddress(data.key, { mode: "receiver", v: 2, stay: 1, token: data.token, ...view.marks }),
    onMessage: (message) => view.receive(message),
    onState: (state, detail) => note.show(state, detail),
  });
  socket.open();
  return socket;
}

function offerToGoOn(receiver) {
  const resume = rememberedSender(data.key);
  const offer = document.getElementById("continue");
  if (!resume || !offer || !view.isLive) return;
  offer.hidden = false;
  document.getElementById("continue-button").addEventListener("click", async () => {
    const recorder = new Recorder({ key: data.key, resume, view, note });
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
