// The sender's audio until the server says that it need never be sent again. Knows no socket and no clock.
// Positions are samples from the start of the session.

export class Outbox {
  // `capacity`: samples kept for a server that cannot be reached; beyond it the oldest are lost, and counted.
  constructor(capacity = Infinity) {
    this.capacity = capacity;
    this.chunks = [];
    this.start = 0;
    this.end = 0;
    this.sent = 0;
    this.lost = 0;
  }

  // Audio that was recorded next; float32.
  append(audio) {
    this.chunks.push({ start: this.end, audio });
    this.end += audio.length;
    if (this.end - this.start > this.capacity) {
      const before = this.start;
      this.forget(this.end - this.capacity);
      this.lost += Math.max(0, this.start - Math.max(before, this.sent));
    }
  }

  // What comes next to be sent, at most `longest` samples; null if there is nothing.
  take(longest) {
    if (this.sent >= this.end) return null;
    const chunk = this.chunks.find((candidate) => candidate.start + candidate.audio.length > this.sent);
    const from = this.sent - chunk.start;
    const audio = chunk.audio.subarray(from, from + longest);
    this.sent += audio.length;
    return audio;
  }

  // The server goes on from here: on the first connection this says where the recording belongs, later
  // what must be sent again.
  resumeFrom(position) {
    if (this.isPlaced) {
      this.sent = Math.min(Math.max(position, this.start), this.end);
      return;
    }
    for (const chunk of this.chunks) chunk.start += position;
    this.start += position;
    this.end += position;
    this.sent = this.start;
    this.isPlaced = true;
  }

  // All before this position is safe.
  forget(before) {
    while (this.chunks.length && this.chunks[0].start + this.chunks[0].audio.length <= before) this.chunks.shift();
    this.start = this.chunks.length ? this.chunks[0].start : this.end;
    this.sent = Math.max(this.sent, this.start);
  }

  get unsent() {
    return this.end - this.sent;
  }

  get unsafe() {
    return this.end - this.start;
  }
}
