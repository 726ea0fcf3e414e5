// A session's socket, which comes back by itself. The meaning of its messages is for others to know.

/** @import { Fault, Message, Mode } from "./messages.js" */

import { readMessage } from "./messages.js";
import { afterClose, retryDelayMs } from "./reconnecting.js";

/** @typedef {"connecting" | "open" | "waiting" | "refused" | "done"} ConnectionState */

/**
 * @typedef {object} SocketParts
 * @property {() => string} address of the next attempt
 * @property {(message: Message) => void} onMessage
 * @property {(state: ConnectionState, fault?: Fault) => void} onState the fault comes with "refused"
 */

export class SessionSocket {
  /** @type {WebSocket | null} */
  socket = null;
  /** @type {Fault | null} */
  fault = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  attempts = 0;
  isClosed = false;

  /** @param {SocketParts} parts */
  constructor({ address, onMessage, onState }) {
    this.address = address;
    this.onMessage = onMessage;
    this.onState = onState;
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.retryNow());
  }

  open() {
    clearTimeout(this.timer);
    this.fault = null;
    this.onState("connecting");
    const socket = new WebSocket(this.address());
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => socket === this.socket && this.receive(data));
    socket.addEventListener("close", ({ code }) => socket === this.socket && this.closed(code));
    this.socket = socket;
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that the browser has not sent yet. */
  get waiting() {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** @param {string | ArrayBuffer | Float32Array<ArrayBuffer>} data */
  send(data) {
    this.socket?.send(data);
  }

  /** Give up a connection whose other end does not answer, and take another. */
  renew() {
    const silent = this.socket;
    this.socket = null;
    silent?.close();
    this.retry();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    const last = this.socket;
    this.socket = null;
    last?.close(1000);
  }

  /** @param {string} data */
  receive(data) {
    const message = readMessage(data);
    if (message.error) this.fault = message.error;
    if (message.event?.type === "hello") {
      this.attempts = 0;
      this.onState("open");
    }
    this.onMessage(message);
  }

  /** @param {number} code */
  closed(code) {
    if (this.isClosed) return;
    const next = afterClose(code, this.fault);
    if (next === "retry") {
      this.retry();
      return;
    }
    this.isClosed = true;
    this.onState(next, this.fault ?? undefined);
  }

  retry() {
    const delay = retryDelayMs(this.attempts, this.fault, Math.random());
    this.attempts += 1;
    this.onState("waiting");
    this.timer = setTimeout(() => this.open(), delay);
  }

  retryNow() {
    if (!this.isClosed && this.socket?.readyState === WebSocket.CLOSED) this.open();
  }
}

/**
 * Return the address of a session's socket on this server; parameters that are empty or 0 are left out.
 *
 * @param {string} key
 * @param {{mode: Mode, v: 2} & Record<string, string | number>} parameters
 */
export function socketAddress(key, parameters) {
  const url = new URL(`/ws/asr/${encodeURIComponent(key)}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, String(value));
  return url.href;
}
