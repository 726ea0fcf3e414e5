// The page of one session.

import { ConnectionNote } from "./connection-note.js";
import { pageData } from "./dom.js";
import { MicrophoneError } from "./microphone.js";
import { Recorder, rememberedSender } from "./recorder.js";
import { SessionSocket, socketAddress } from "./session-socket.js";
import { setUpTools } from "./session-tools.js";
import { SessionView } from "./session-view.js";

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
