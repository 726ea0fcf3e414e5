// The files that somebody has sent: how far each is, what became of it, and those that this page is sending.

/** @import { Upload } from "./progress-text.js" */
/** @import { Wishes } from "./transfer.js" */

import { getJson, RequestError, send } from "../lib/api.js";
import { descendant, element, setText } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { fill, gettext } from "../lib/words.js";
import { isNews, isOver, share, stateText } from "./progress-text.js";
import { CalledOff, Transfer } from "./transfer.js";

const BUSY_MS = 1500;
const QUIET_MS = 30_000;
const AT_ONCE = 2; // more share the same network

/** @typedef {{onBegun?: (upload: Upload) => void, onOver?: (upload: Upload) => void}} PanelListener */

export class UploadsPanel {
  /** @type {Map<string, Upload>} as the server told last */
  uploads = new Map();
  /** @type {Transfer[]} */
  transfers = [];
  /** @type {Map<string, HTMLElement>} */
  rows = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  hasLooked = false;

  /**
   * @param {HTMLElement} place
   * @param {PanelListener} [listener]
   */
  constructor(place, listener = {}) {
    this.place = place;
    this.listener = listener;
    this.url = place.dataset.url ?? "";
    this.list = descendant(place, "ul");
    addEventListener("beforeunload", (event) => this.transfers.length && event.preventDefault());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    this.looking = this.look();
  }

  /**
   * Send files.
   *
   * @param {Iterable<File>} files
   * @param {Wishes} [wishes] of the meetings that they become
   */
  async add(files, wishes = {}) {
    await this.looking;
    for (const file of files) {
      const found = [...this.uploads.values()].find((upload) => this.isRestOf(upload, file));
      const address = found ? `${this.url}${found.id}` : "";
      const onProgress = () => this.show();
      this.transfers.push(new Transfer(file, { url: this.url, wishes, address, onProgress }));
    }
    this.show();
    this.sendNext();
  }

  /**
   * Tell whether a part of this file was sent before, by this page or another.
   *
   * @param {Upload} upload
   * @param {File} file
   */
  isRestOf({ id, state, name, size }, file) {
    return state === "receiving" && name === file.name && size === file.size && !this.transferOf(id);
  }

  sendNext() {
    for (const transfer of this.transfers.slice(0, AT_ONCE)) {
      if (!this.running.has(transfer)) this.run(transfer);
    }
  }

  /** @type {Set<Transfer>} */
  running = new Set();

  /** @param {Transfer} transfer */
  async run(transfer) {
    this.running.add(transfer);
    try {
      await transfer.run();
    } catch (error) {
      if (!(error instanceof CalledOff) && !(error instanceof RequestError)) throw error;
      if (error instanceof RequestError) {
        toast(fill(gettext("%(name)s: %(reason)s"), { name: transfer.file.name, reason: error.message }), {
          isError: true,
        });
      }
    } finally {
      this.running.delete(transfer);
      this.transfers = this.transfers.filter((each) => each !== transfer);
      this.sendNext();
      await this.look();
    }
  }

  async look() {
    clearTimeout(this.timer);
    try {
      this.receive(await getJson(this.url));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error; // it may be restarting: ask again
    }
    const isBusy = this.transfers.length || [...this.uploads.values()].some((upload) => !isOver(upload));
    if (!document.hidden || isBusy) this.timer = setTimeout(() => this.look(), isBusy ? BUSY_MS : QUIET_MS);
  }

  /** @param {Upload[]} told */
  receive(told) {
    const before = this.uploads;
    this.uploads = new Map(told.map((upload) => [upload.id, upload]));
    for (const upload of this.hasLooked ? told : []) this.tellOf(upload, before.get(upload.id));
    this.hasLooked = true;
    this.show();
  }

  /**
   * @param {Upload} upload
   * @param {Upload | undefined} before
   */
  tellOf(upload, before) {
    if (upload.session && !before?.session) this.listener.onBegun?.(upload);
    if (!isOver(upload) || !before || isOver(before)) return;
    this.listener.onOver?.(upload);
    const { name, state, url, error } = upload;
    if (state === "failed") toast(fill(gettext("%(name)s: %(reason)s"), { name, reason: error }), { isError: true });
    if (state !== "done" || !url) return;
    toast(fill(gettext("%(name)s is transcribed."), { name }), {
      action: gettext("Open"),
      onAction: () => location.assign(url),
    });
  }

  // What is shown.

  show() {
    const told = [...this.uploads.values()].filter((upload) => isNews(upload, Date.now()));
    const shown = [...this.announced(), ...told];
    this.place.hidden = shown.length === 0;
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    shown.forEach((upload, index) => this.showRow(upload, index));
  }

  /**
   * Return the files that this page sends and the server has not told of yet.
   *
   * @returns {Upload[]}
   */
  announced() {
    return this.transfers
      .filter(({ address }) => !this.uploads.has(idOf(address)))
      .map(({ file, address, received }) => ({
        id: idOf(address) || `${file.name} ${file.size} ${file.lastModified}`,
        name: file.name,
        state: "receiving",
        size: file.size,
        received,
        before: 0,
        duration_ms: 0,
        done_ms: 0,
        session: null,
        url: null,
        error: "",
        finished_at: null,
      }));
  }

  /**
   * @param {Upload} upload
   * @param {number} index
   */
  showRow(upload, index) {
    const row = this.rows.get(upload.id) ?? this.newRow(upload);
    const transfer = this.transferOf(upload.id);
    const known = transfer ? { ...upload, received: Math.max(upload.received, transfer.received) } : upload;
    row.dataset.state = upload.state;
    setText(descendant(row, ".upload-state"), stateText(known, this.sendingOf(transfer)));
    const bar = descendant(row, "progress", HTMLProgressElement);
    bar.hidden = isOver(upload);
    const done = share(known);
    if (done === null) bar.removeAttribute("value");
    else bar.value = done;
    const link = descendant(row, "a", HTMLAnchorElement);
    link.hidden = !upload.url;
    if (upload.url) link.href = upload.url;
    const cancel = descendant(row, "button");
    const word = isOver(upload) ? gettext("Remove from this list") : gettext("Cancel");
    setText(cancel, word);
    cancel.setAttribute("aria-label", `${word}: ${upload.name}`);
    if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
  }

  /** @param {Upload} upload */
  newRow({ id, name }) {
    const row = element(
      "li",
      { class: "upload" },
      element("strong", { class: "upload-name" }, name),
      element("span", { class: "upload-state" }),
      element("progress", { max: 1, "aria-label": name }),
      element(
        "span",
        { class: "upload-buttons" },
        element("a", { class: "button", hidden: true, "aria-label": `${gettext("Open")}: ${name}` }, gettext("Open")),
        element("button", { type: "button", class: "quiet", onclick: () => this.cancel(id) }),
      ),
    );
    this.rows.set(id, row);
    return row;
  }

  /** @param {string} id */
  async cancel(id) {
    const transfer = this.transferOf(id) ?? this.transfers.find(({ file }) => id.startsWith(`${file.name} `));
    transfer?.callOff();
    if (transfer && !this.running.has(transfer)) this.transfers = this.transfers.filter((each) => each !== transfer);
    if (this.uploads.has(id) || transfer?.address) {
      try {
        await send(transfer?.address || `${this.url}${id}`, { method: "DELETE" });
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        toast(error.message, { isError: true });
      }
    }
    await this.look();
  }

  /** @param {string} id */
  transferOf(id) {
    return this.transfers.find(({ address }) => idOf(address) === id);
  }

  /**
   * @param {Transfer | undefined} transfer
   * @returns {import("./progress-text.js").Sending}
   */
  sendingOf(transfer) {
    if (!transfer) return "";
    if (!this.running.has(transfer)) return "queued";
    return transfer.isWaiting ? "offline" : "sending";
  }
}

/** @param {string} address of a file */
function idOf(address) {
  return address.split("/").at(-1) ?? "";
}
