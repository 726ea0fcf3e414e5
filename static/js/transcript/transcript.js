// The lines of a session in the order they are read in, folded from a snapshot and the socket's messages.
// Knows no page: whoever shows it is told what was added, changed and removed.

export class Transcript {
  constructor(listener = {}) {
    this.listener = listener;
    this.lines = [];
    this.byId = new Map();
    // How far this is known without a gap; what to ask for when the connection was lost.
    this.seq = 0;
    this.revision = 0;
  }

  receiveSnapshot({ seq, revision, lines }) {
    for (const line of lines) this.put(line);
    this.seq = Math.max(this.seq, seq);
    this.revision = Math.max(this.revision, revision);
  }

  receiveLine(line) {
    this.seq = Math.max(this.seq, line.seq);
    if (!this.byId.has(line.id)) this.put({ revision: 0, ...line });
  }

  receiveRevision({ revision, line, removed }) {
    this.revision = Math.max(this.revision, revision);
    if (removed) this.remove(line.id);
    else this.put({ ...line, revision });
  }

  // Add a line, or take what it says now unless something newer is known.
  put(line) {
    const before = this.byId.get(line.id);
    if (!before) {
      this.insert(line);
    } else if (line.revision >= before.revision) {
      this.byId.set(line.id, line);
      const index = this.lines.indexOf(before);
      if (isInOrder(before, line) && isInOrder(line, before)) {
        this.lines[index] = line;
        this.listener.changed?.(line, before, index);
      } else {
        this.lines.splice(index, 1);
        this.listener.removed?.(before, index);
        this.insert(line);
      }
    }
  }

  insert(line) {
    let index = this.lines.length;
    while (index > 0 && !isInOrder(this.lines[index - 1], line)) index -= 1;
    this.lines.splice(index, 0, line);
    this.byId.set(line.id, line);
    this.listener.added?.(line, index);
  }

  remove(id) {
    const line = this.byId.get(id);
    if (!line) return;
    const index = this.lines.indexOf(line);
    this.lines.splice(index, 1);
    this.byId.delete(id);
    this.listener.removed?.(line, index);
  }
}

function isInOrder(one, other) {
  return one.start_ms < other.start_ms || (one.start_ms === other.start_ms && one.id <= other.id);
}
