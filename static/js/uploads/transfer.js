// One file on its way to the server, in pieces by tus 1.0: what was cut off goes on where the server has it.

import { refusal, RequestError, send } from "../lib/api.js";

const TUS = { "Tus-Resumable": "1.0.0" };
const PIECE_BYTES = 4 * 1024 * 1024;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15_000;

/** Answers after which it is worth asking where to go on. */
const AGAIN = [0, 408, 409, 423, 429, 500, 502, 503, 504];

/** @typedef {{title?: string, models?: string, key?: string, expected?: string, hotwords?: string, continues?: string}} Wishes */

/** A transfer that its user has called off. */
export class CalledOff extends Error {}

export class Transfer {
  /** Bytes that the server has. */
  received = 0;
  /** Address of the file, once the server knows it. */
  address = "";
  /** The network or the server is away, and it goes on when they are back. */
  isWaiting = false;
  isCalledOff = false;

  /**
   * @param {File} file
   * @param {object} parts
   * @param {string} parts.url where new files are announced
   * @param {Wishes} [parts.wishes] of the meeting that it is to become
   * @param {string} [parts.address] of the same file, of which a part was sent before
   * @param {() => void} [parts.onProgress]
   */
  constructor(file, { url, wishes = {}, address = "", onProgress = () => {} }) {
    this.file = file;
    this.url = url;
    this.wishes = wishes;
    this.address = address;
    this.onProgress = onProgress;
  }

  /** Send all of it, however often the network breaks off. Throws RequestError where it is refused, or CalledOff. */
  async run() {
    if (this.address) await this.insist(() => this.resume());
    else await this.insist(() => this.announce());
    while (this.received < this.file.size) await this.insist(() => this.sendPiece());
  }

  callOff() {
    this.isCalledOff = true;
  }

  async announce() {
    const { name, size, lastModified } = this.file;
    const words = { filename: name, lastModified: String(lastModified), ...this.wishes };
    const response = await send(this.url, {
      method: "POST",
      headers: { ...TUS, "Upload-Length": String(size), "Upload-Metadata": metadata(words) },
    });
    if (response.status !== 201) throw await refusal(response);
    this.address = response.headers.get("Location") ?? "";
  }

  async resume() {
    const response = await send(this.address, { method: "HEAD", headers: TUS });
    if (!response.ok) throw await refusal(response);
    this.note(response);
  }

  async sendPiece() {
    const response = await send(this.address, {
      method: "PATCH",
      headers: { ...TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(this.received) },
      body: this.file.slice(this.received, this.received + PIECE_BYTES),
    });
    if (!response.ok) throw await refusal(response);
    this.note(response);
  }

  /** @param {Response} response */
  note(response) {
    this.received = Number(response.headers.get("Upload-Offset"));
    this.onProgress();
  }

  /**
   * Do something again and again until it is done, or refused for good.
   *
   * @param {() => Promise<void>} step
   */
  async insist(step) {
    let next = step;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, MAX_WAIT_MS)) {
      if (this.isCalledOff) throw new CalledOff();
      try {
        await next();
        this.setWaiting(false);
        return;
      } catch (error) {
        if (!(error instanceof RequestError) || !AGAIN.includes(error.status)) throw error;
        if (error.status === 429 && !this.address) throw error; // as many files as one may have
      }
      this.setWaiting(true);
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.address) next = () => this.resume(); // how far it came, the server knows
    }
  }

  /** @param {boolean} isWaiting */
  setWaiting(isWaiting) {
    if (isWaiting === this.isWaiting) return;
    this.isWaiting = isWaiting;
    this.onProgress();
  }
}

/**
 * Return words as tus has them: keys, and values in base64; empty ones are left out.
 *
 * @param {Record<string, string>} words
 */
export function metadata(words) {
  return Object.entries(words)
    .filter(([, value]) => value)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(",");
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
