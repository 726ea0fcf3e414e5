import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { readMessage } from "../../../static/js/connection/messages.js";
import { Transcript } from "../../../static/js/transcript/transcript.js";

const document = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");

/** Messages of version 2, as the document shows them. */
const messages = [...document.slice(document.indexOf("## Version 2")).matchAll(/^```json\n(.*?)^```/gms)].map(
  ([, text]) => readMessage(text),
);

describe("The protocol document", () => {
  test("shows a message of every kind that a page understands", () => {
    const kinds = new Set(
      messages.map((message) => (message.error ? "error" : (message.event?.type ?? message.final))),
    );
    const events = ["hello", "revise", "ack", "flushed", "session", "session_end", "notes", "translations"];
    assert.deepEqual(kinds, new Set([true, false, ...events, "error"]));
  });

  test("shows a line and its revision as a transcript takes them", () => {
    const transcript = new Transcript();
    for (const message of messages) {
      if (message.final === true) transcript.receiveLine(message);
      if (message.event?.type === "revise") transcript.receiveRevision(message.event);
    }
    assert.equal(transcript.lines.length, 2);
    const [line] = transcript.lines;
    assert.deepEqual([line.id, line.seq, line.start_ms, line.end_ms], [77, 3, 10200, 12300]);
    assert.deepEqual([line.spk.speaker_name, line.spk.number, line.revision], ["李四", null, 3]);
    assert.deepEqual([transcript.seq, transcript.revision], [4, 3]);
  });

  test("shows a fault with all that a page decides by", () => {
    const fault = messages.find(({ error }) => error)?.error;
    assert.deepEqual(Object.keys(fault ?? {}).sort(), [
      "close",
      "code",
      "message",
      "param",
      "retry_after",
      "retryable",
    ]);
  });
});
