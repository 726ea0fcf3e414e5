// The screen, kept on while there is something to follow on it.

export class ScreenLock {
  /** @type {WakeLockSentinel | null} */
  lock = null;

  /** @param {() => boolean} isWanted */
  constructor(isWanted) {
    this.isWanted = isWanted;
    document.addEventListener("visibilitychange", () => this.look());
    this.look();
  }

  /** Take the lock or let it go. Browsers take it away themselves when the page is hidden. */
  async look() {
    if (!this.isWanted()) {
      await this.lock?.release();
      this.lock = null;
    } else if (document.visibilityState === "visible" && (this.lock?.released ?? true)) {
      try {
        this.lock = (await navigator.wakeLock?.request("screen")) ?? null;
      } catch {
        // Refused on low battery: the page works on as long as the screen is on.
      }
    }
  }
}
