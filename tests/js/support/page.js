// What modules need of a page that touch it little: an address, events, sockets, and a clock that a test moves.

/** @import { Fault } from "../../../static/js/connection/messages.js" */

const page = new EventTarget();

/** A document that is looked at. */
class Document extends EventTarget {
  visibilityState = "visible";
}

export const document = new Document();

/** A socket whose other end is the test. */
export class Socket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 3;
  /** @type {Socket[]} */
  static all = [];

  static get last() {
    return Socket.all[Socket.all.length - 1];
  }

  readyState = Socket.CONNECTING;
  bufferedAmount = 0;
  /** @type {unknown[]} */
  sent = [];
  /** @type {number | undefined} */
  closedWith;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = new URL(url);
    Socket.all.push(this);
  }

  /** @param {unknown} data */
  send(data) {
    this.sent.push(data);
  }

  /** @param {number} [code] */
  close(code) {
    this.closedWith = code ?? 1005;
  }

  /** Samples that were sent on this socket. */
  get samples() {
    return this.sent.flatMap((data) => (data instanceof Float32Array ? [...data] : []));
  }

  /** @param {unknown} message */
  say(message) {
    this.readyState = Socket.OPEN;
    this.dispatchEvent(
      Object.assign(new Event("message"), { data: JSON.stringify({ asr: "", spk: {}, ...Object(message) }) }),
    );
  }

  /** @param {Record<string, unknown>} [fields] */
  welcome(fields = {}) {
    this.say({
      event: { type: "hello", mode: "sender", seq: 0, revision: 0, resume: "right", resume_from: 0, ...fields },
    });
  }

  /** @param {Partial<Fault>} fault */
  complain(fault) {
    this.say({
      error: { code: "internal", message: "", close: 4500, retryable: true, retry_after: null, param: null, ...fault },
    });
  }

  /** @param {number} [code] */
  break(code = 1006) {
    this.readyState = Socket.CLOSED;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

/** Time as a test moves it, for timers and for whoever asks. */
export class Clock {
  now = 1_000_000;
  /** @type {Map<number, {at: number, every: number | null, call: () => void}>} */
  timers = new Map();
  last = 0;

  /**
   * @param {() => void} call
   * @param {number} after
   * @param {number | null} every
   */
  set(call, after, every) {
    this.last += 1;
    this.timers.set(this.last, { at: this.now + after, every, call });
    return this.last;
  }

  /** @param {number} ms */
  pass(ms) {
    const end = this.now + ms;
    for (let next = this.next(end); next; next = this.next(end)) {
      const [id, timer] = next;
      this.now = timer.at;
      if (timer.every === null) this.timers.delete(id);
      else timer.at += timer.every;
      timer.call();
    }
    this.now = end;
  }

  /** @param {number} end */
  next(end) {
    const due = [...this.timers].filter(([, { at }]) => at <= end);
    return due.sort(([, one], [, other]) => one.at - other.at)[0];
  }
}

/** @type {Map<string, PropertyDescriptor | undefined>} */
const own = new Map();

/**
 * Put a page in the place of Node's own names, until `closePage`.
 *
 * @returns {Clock}
 */
export function openPage() {
  const clock = new Clock();
  replace("document", document);
  replace("location", new URL("https://asr.example/sessions/weekly/"));
  replace("WebSocket", Socket);
  replace("addEventListener", page.addEventListener.bind(page));
  replace("setTimeout", (/** @type {() => void} */ call, ms = 0) => clock.set(call, ms, null));
  replace("setInterval", (/** @type {() => void} */ call, ms = 0) => clock.set(call, ms, ms));
  replace("clearTimeout", (/** @type {number} */ id) => clock.timers.delete(id));
  replace("clearInterval", (/** @type {number} */ id) => clock.timers.delete(id));
  replace("performance", { now: () => clock.now });
  replace(
    "Date",
    class extends Date {
      static now() {
        return clock.now;
      }
    },
  );
  Socket.all = [];
  document.visibilityState = "visible";
  return clock;
}

export function closePage() {
  for (const [name, descriptor] of own) {
    Reflect.deleteProperty(globalThis, name);
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
  }
  own.clear();
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function replace(name, value) {
  if (!own.has(name)) own.set(name, Reflect.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** Tell a page that its network is back. */
export function comeOnline() {
  page.dispatchEvent(new Event("online"));
}
