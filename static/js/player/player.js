// The recording: one audio element, also while the meeting still goes on.

const SAMPLES_PER_MS = 16;
const NEAR_END_MS = 50;
const WORTH_LOADING_MS = 200;

export class Player extends EventTarget {
  availableMs = 0;
  loadedMs = 0;
  /** @type {number | undefined} where it goes to, until it is there */
  wantedMs;
  /** @type {object | null} the wish to hear something that is not fulfilled or withdrawn; a later one takes its place */
  wish = null;

  /**
   * @param {HTMLAudioElement} audio
   * @param {(samples: number) => string} address of the first so many samples of the recording
   */
  constructor(audio, address) {
    super();
    this.audio = audio;
    this.address = address;
    /** Asked before anything sounds, with how to ask again. @type {(again: () => void) => boolean} */
    this.mayPlay = () => true;
    for (const event of ["play", "pause", "seeked", "ratechange", "timeupdate"]) {
      audio.addEventListener(event, () => this.changed());
    }
    audio.addEventListener("ended", () => this.goOn());
  }

  /**
   * Learn how much of the recording can be had by now.
   *
   * @param {number} ms
   */
  setAvailable(ms) {
    this.availableMs = Math.max(this.availableMs, ms);
    this.changed();
  }

  get ms() {
    return this.wantedMs ?? this.audio.currentTime * 1000;
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  get rate() {
    return this.audio.playbackRate;
  }

  set rate(rate) {
    this.audio.defaultPlaybackRate = rate;
    this.audio.playbackRate = rate;
  }

  /**
   * Go to a moment; loads more of the recording if it is not loaded so far.
   *
   * @param {number} ms
   */
  async seek(ms) {
    const target = Math.min(Math.max(0, ms), this.availableMs);
    this.wantedMs = target;
    if (target >= this.loadedMs || !this.audio.src) await this.load();
    this.audio.currentTime = target / 1000;
    this.wantedMs = undefined;
    this.changed();
  }

  /** @param {number | Promise<number>} ms may have to be found out first */
  async playFrom(ms) {
    if (!this.mayPlay(() => this.playFrom(ms))) return;
    const wish = {};
    this.wish = wish;
    const from = typeof ms === "number" ? ms : await ms;
    if (this.wish !== wish) return;
    await this.seek(from);
    if (this.wish === wish) await this.audio.play();
  }

  pause() {
    this.wish = null;
    this.audio.pause();
  }

  async toggle() {
    if (this.isPlaying) this.pause();
    else await this.playFrom(this.ms >= this.availableMs - NEAR_END_MS ? 0 : this.ms);
  }

  async load() {
    const length = this.availableMs;
    const rate = this.rate;
    await new Promise((resolve, reject) => {
      this.audio.addEventListener("loadedmetadata", resolve, { once: true });
      this.audio.addEventListener("error", () => reject(new Error(this.audio.error?.message)), { once: true });
      this.audio.src = this.address(Math.floor(length * SAMPLES_PER_MS));
      this.audio.load();
    });
    this.loadedMs = length;
    this.rate = rate;
  }

  /** Play on where the loaded part is over and a live meeting has gone on meanwhile. */
  async goOn() {
    if (this.availableMs > this.loadedMs + WORTH_LOADING_MS) await this.playFrom(this.loadedMs);
    else this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
