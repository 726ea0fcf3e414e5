// Staying at the end of a live transcript, unless its reader has scrolled up to read.

import { fill, ngettext } from "../lib/words.js";

const NEAR_PX = 80;

export class Follow {
  isFollowing = false;
  isLive = false;
  unseen = 0;
  lastY = 0;

  /** @param {HTMLElement} button to jump to the end by */
  constructor(button) {
    this.button = button;
    this.button.addEventListener("click", () => this.start({ smooth: true }));
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.isFollowing && this.toEnd());
  }

  start({ smooth = false } = {}) {
    this.reset(true);
    this.toEnd(smooth);
  }

  stop() {
    this.reset(false);
  }

  /**
   * Learn that something was appended.
   *
   * @param {number} [lines] of it that are new
   */
  grown(lines = 0) {
    if (this.isFollowing) {
      this.toEnd();
    } else if (lines && this.isLive) {
      this.unseen += lines;
      this.button.hidden = false;
      const text = ngettext("Jump to live (%(count)s new)", "Jump to live (%(count)s new)", this.unseen);
      this.button.textContent = fill(text, { count: this.unseen });
    }
  }

  /** @param {boolean} isLive */
  setLive(isLive) {
    this.isLive = isLive;
    if (!isLive) this.stop();
  }

  scrolled() {
    const isNear = document.documentElement.scrollHeight - innerHeight - scrollY < NEAR_PX;
    if (isNear && this.isLive) {
      this.reset(true);
    } else if (!isNear && scrollY < this.lastY - 2) {
      this.isFollowing = false; // only going up means to stop: a line that was added moves nothing up
    }
    this.lastY = scrollY;
  }

  /** @param {boolean} isFollowing */
  reset(isFollowing) {
    this.isFollowing = isFollowing;
    this.unseen = 0;
    this.button.hidden = true;
  }

  toEnd(smooth = false) {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }
}
