// Staying at the end of a live transcript, unless its reader has scrolled up to read.

import { fill, ngettext } from "../lib/words.js";

const NEAR_PX = 80;

export class Follow {
  constructor(button) {
    this.button = button;
    this.isFollowing = false;
    this.unseen = 0;
    this.button.addEventListener("click", () => this.start({ smooth: true }));
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.isFollowing && this.toEnd());
  }

  start({ smooth = false } = {}) {
    this.isFollowing = true;
    this.unseen = 0;
    this.button.hidden = true;
    this.toEnd(smooth);
  }

  stop() {
    this.isFollowing = false;
    this.unseen = 0;
    this.button.hidden = true;
  }

  // Something was appended; `lines` of it are new.
  grown(lines = 0) {
    if (this.isFollowing) {
      this.toEnd();
    } else if (lines && this.isLive) {
      this.unseen += lines;
      this.button.hidden = false;
      this.button.textContent = fill(
        ngettext("Jump to live (%(count)s new)", "Jump to live (%(count)s new)", this.unseen),
        { count: this.unseen },
      );
    }
  }

  set live(isLive) {
    this.isLive = isLive;
    if (!isLive) this.stop();
  }

  scrolled() {
    const isNear = document.documentElement.scrollHeight - innerHeight - scrollY < NEAR_PX;
    if (isNear && this.isLive) {
      this.isFollowing = true;
      this.unseen = 0;
      this.button.hidden = true;
    } else if (!isNear && scrollY < (this.lastY ?? 0) - 2) {
      this.isFollowing = false; // only going up means to stop: a line that was added moves nothing up
    }
    this.lastY = scrollY;
  }

  toEnd(smooth = false) {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }
}
