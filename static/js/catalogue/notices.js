// Notices that a meeting has begun, for those who ask for them by a click: as long as this page is open behind others.

import { findById } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";

const STORED = "notices";

export class MeetingNotices {
  button = findById("notices", HTMLButtonElement);

  constructor() {
    if (!this.button || !globalThis.Notification) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.toggle());
    this.show();
  }

  get isOn() {
    return globalThis.Notification?.permission === "granted" && localStorage.getItem(STORED) === "on";
  }

  async toggle() {
    if (this.isOn) localStorage.removeItem(STORED);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(STORED, "on");
    else toast(gettext("This browser lets no notices through. Its settings for this site can change that."));
    this.show();
    if (this.isOn) toast(gettext("You will be told when a meeting in this list begins, while this page is open."));
  }

  show() {
    this.button?.setAttribute("aria-pressed", String(this.isOn));
  }

  /**
   * Tell of a meeting that has begun, unless the page is being looked at.
   *
   * @param {{key: string, title: string, url: string}} meeting
   */
  async tell({ key, title, url }) {
    await this.notify(fill(gettext("“%(title)s” has begun."), { title }), { key, url });
  }

  /**
   * Tell that a file is transcribed, in the same way.
   *
   * @param {{id: string, name: string, url: string | null}} upload
   */
  async tellTranscribed({ id, name, url }) {
    if (url) await this.notify(fill(gettext("%(name)s is transcribed."), { name }), { key: id, url });
  }

  /**
   * @param {string} text
   * @param {{key: string, url: string}} about
   */
  async notify(text, { key, url }) {
    if (!this.isOn || !document.hidden) return;
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker) {
      await worker.showNotification(text, { tag: key, data: { url } }); // the only way on telephones
      return;
    }
    new Notification(text, { tag: key }).addEventListener("click", () => location.assign(url));
  }
}
