// Pieces of what somebody said, to hear where they are listed.

const audio = new Audio();
audio.preload = "none";

/** @type {HTMLButtonElement | undefined} */
let playing;
let end = Infinity;

/** @param {HTMLButtonElement} button */
function play(button) {
  stop();
  playing = button;
  button.setAttribute("aria-pressed", "true");
  const { audio: source = "", start = "0", end: last } = button.dataset;
  end = last ? Number(last) : Infinity;
  audio.src = `${source}#t=${start}`;
  audio.play().catch(stop);
}

function stop() {
  audio.pause();
  playing?.setAttribute("aria-pressed", "false");
  playing = undefined;
}

audio.addEventListener("ended", stop);
audio.addEventListener("error", stop);
audio.addEventListener("timeupdate", () => {
  if (audio.currentTime >= end) stop();
});
for (const button of document.querySelectorAll("button.play")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => (button === playing ? stop() : play(button)));
}
