// What this computer plays: a tab's sound or all of it, as the browser lets people share it. No picture is taken.

import { gettext } from "../lib/words.js";

export class SharingError extends Error {}

/** Tell whether this browser can share sound: those that cannot share pictures alone. */
export function canShareSound() {
  const { mediaDevices } = navigator;
  if (!mediaDevices?.getDisplayMedia) return false;
  return "suppressLocalAudioPlayback" in mediaDevices.getSupportedConstraints();
}

/** Ask for what is to be shared, at a click. Throws SharingError. */
export async function openComputerSound() {
  const stream = await ask();
  for (const track of stream.getVideoTracks()) track.stop();
  if (stream.getAudioTracks().length) return stream;
  throw new SharingError(
    gettext(
      "What you chose was shared without its sound. Choose it again, and switch the sound on in the browser's dialog: " +
        "a tab has one everywhere, the whole screen on Windows and on current macOS, a window seldom.",
    ),
  );
}

async function ask() {
  // As it is played: nothing of it is to be taken for an echo.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const wanted = { video: true, audio, systemAudio: "include", selfBrowserSurface: "exclude" };
  try {
    return await navigator.mediaDevices.getDisplayMedia(wanted);
  } catch (error) {
    throw new SharingError(reason(error));
  }
}

/** @param {unknown} error */
function reason(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") {
    return gettext("Nothing was shared. Choose a tab or the screen in the browser's dialog, and switch its sound on.");
  }
  if (name === "NotFoundError" || name === "NotReadableError") {
    return gettext(
      "The browser cannot get at this computer's sound. A tab's sound can be shared everywhere: try that.",
    );
  }
  return String(error);
}
