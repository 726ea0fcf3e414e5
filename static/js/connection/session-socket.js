// A socket of a session that comes back by itself. What its messages mean is for others to know.

const BACKOFF_MS = [300, 1000, 2000, 4000, 8000];
const JITTER = 0.3;

export class SessionSocket {
  // `address()` gives the URL for each attempt; `onMessage(message)` gets parsed JSON;
  // `onState(state, detail)`: connecting, open, waiting (ms), refused (error), done.
  constructor({ address, onMessage, onState }) {
    this.address = address;
    this.onMessage = onMessage;
    this.onState = onState;
    this.attempts = 0;
    this.error = null;
    this.isClosed = false;
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.retryNow());
  }

  open() {
    clearTimeout(this.timer);
    this.error = null;
    this.onState("connecting");
    const socket = new WebSocket(this.address());
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => socket === this.socket && this.receive(event));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event));
    this.socket = socket;
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  get waiting() {
    return this.socket?.bufferedAmount ?? 0;
  }

  send(data) {
    this.socket.send(data);
  }

  // The other end does not answer: give this connection up and take another.
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

  receive(event) {
    const message = JSON.parse(event.data);
    if (message.error) this.error = message.error;
    if (message.event?.type === "hello") {
      this.attempts = 0;
      this.onState("open");
    }
    this.onMessage(message);
  }

  closed({ code }) {
    if (this.isClosed) return;
    if (code === 1000) {
      this.isClosed = true;
      this.onState("done");
    } else if (this.error?.close && !this.error.retryable) {
      this.isClosed = true;
      this.onState("refused", this.error);
    } else {
      this.retry();
    }
  }

  retry() {
    const asked = (this.error?.retry_after ?? 0) * 1000;
    const backoff = BACKOFF_MS[Math.min(this.attempts, BACKOFF_MS.length - 1)];
    const delay = Math.max(asked, backoff * (1 + JITTER * Math.random()));
    this.attempts += 1;
    this.onState("waiting", delay);
    this.timer = setTimeout(() => this.open(), delay);
    this.isWaiting = true;
  }

  retryNow() {
    if (this.isClosed || !this.socket || this.socket.readyState !== WebSocket.CLOSED) return;
    this.open();
  }
}

// The address of a session's socket on this server.
export function socketAddress(key, parameters) {
  const url = new URL(`/ws/asr/${encodeURIComponent(key)}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return url.href;
}
