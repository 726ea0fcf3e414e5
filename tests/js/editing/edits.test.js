import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

/** @import { Edit } from "../../../static/js/editing/requests.js" */

import { Edits } from "../../../static/js/editing/edits.js";
import { RequestError } from "../../../static/js/lib/api.js";
import { Transcript } from "../../../static/js/transcript/transcript.js";
import { line } from "../support/lines.js";
import { TestServer } from "../support/server.js";

const server = new TestServer();
/** @type {Transcript} */
let transcript;
/** @type {Edits} */
let edits;
let revision = 0;
let changes = 0;

before(() => server.start());
after(() => server.stop());

beforeEach(() => {
  server.forget();
  revision = 0;
  changes = 0;
  transcript = new Transcript();
  transcript.receiveSnapshot({ seq: 2, revision: 0, lines: [line(1), line(2)] });
  const data = {
    key: "weekly",
    sessionsUrl: `${server.url}/sessions/`,
    token: "",
    rights: ["edit"],
    mayGoOn: false,
    recordingMs: 0,
    notes: 0,
    until: "",
  };
  edits = new Edits({ data: { ...data, state: "ended" }, transcript });
  edits.addEventListener("change", () => (changes += 1));
  server.respond = changeText;
});

/**
 * Answer as the server does: the line changes if its revision is the newest, and can be changed back.
 *
 * @param {{body: string}} asked
 */
function changeText({ body }) {
  const edit = JSON.parse(body);
  const now = transcript.byId.get(edit.seen.line) ?? line(edit.seen.line);
  const was = { [now.id]: now.revision ?? 0 };
  if (edit.seen.revision !== was[now.id]) {
    return { status: 409, type: "application/json", body: JSON.stringify({ error: "Not as it was seen.", lines: [] }) };
  }
  revision += 1;
  const changed = { ...now, asr: edit.text, revision, removed: false };
  const undo = { kind: "text", seen: { line: now.id, revision }, text: now.asr };
  return { status: 200, type: "application/json", body: JSON.stringify({ lines: [changed], undo, was }) };
}

/**
 * @param {number} id
 * @param {string} text
 * @returns {() => Edit}
 */
const write = (id, text) => () => ({ kind: "text", seen: edits.seen({ id }), text });

const texts = () => transcript.lines.map(({ asr }) => asr);

describe("An edit", () => {
  test("is on the page as soon as the server has taken it", async () => {
    const answer = await edits.do(write(1, "one"));
    assert.deepEqual(texts(), ["one", "line 2"]);
    assert.equal(answer?.lines[0].revision, 1);
    assert.equal(server.requests[0].url, "/sessions/weekly/edits");
    assert.equal(changes, 1);
  });

  test("waits for the one before, and says what is known when its turn has come", async () => {
    await Promise.all([edits.do(write(1, "one")), edits.do(write(1, "uno")), edits.do(write(1, "eins"))]);
    const seen = server.requests.map(({ body }) => JSON.parse(body).seen.revision);
    assert.deepEqual(seen, [0, 1, 2]);
    assert.deepEqual(texts(), ["eins", "line 2"]);
  });

  test("can turn out to be none when its turn has come", async () => {
    assert.equal(await edits.do(() => null), null);
    assert.deepEqual([server.requests.length, changes], [0, 0]);
  });

  test("that removes a line takes it away", async () => {
    server.answer({ lines: [{ ...line(1), revision: 1, removed: true }], undo: null });
    await edits.do(() => ({ kind: "remove", seen: edits.seen({ id: 1 }) }));
    assert.deepEqual(texts(), ["line 2"]);
    assert.equal(edits.undos.length, 0);
  });

  test("that comes too late brings what others wrote, and fails", async () => {
    server.answer(
      { error: "Somebody was quicker.", lines: [{ ...line(1), asr: "theirs", revision: 7, removed: false }] },
      409,
    );
    await assert.rejects(edits.do(write(1, "mine")), RequestError);
    assert.deepEqual([texts(), edits.undos.length], [["theirs", "line 2"], 0]);
    assert.deepEqual(edits.seen({ id: 1 }), { line: 1, revision: 7 });
  });

  test("does not fail because the one before it did", async () => {
    server.respond = (asked) =>
      server.requests.length > 1 ? changeText(asked) : { status: 500, type: "text/plain", body: "" };
    const both = await Promise.allSettled([edits.do(write(1, "one")), edits.do(write(2, "two"))]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "fulfilled"],
    );
    assert.deepEqual(texts(), ["line 1", "two"]);
  });
});

describe("The mark of a line", () => {
  test("is its newest revision", async () => {
    await edits.do(write(1, "one"));
    assert.deepEqual(edits.seen({ id: 1, revision: 0 }), { line: 1, revision: 1 });
  });

  test("of a line that is gone is the one it had", () => {
    assert.deepEqual(edits.seen({ id: 9, revision: 3 }), { line: 9, revision: 3 });
    assert.deepEqual(edits.seen({ id: 9 }), { line: 9, revision: 0 });
  });
});

describe("Undoing", () => {
  test("goes back through all edits, and forth again", async () => {
    for (const text of ["a", "b", "c"]) await edits.do(write(1, text));
    const back = [];
    for (let step = 0; step < 3; step += 1) {
      await edits.undo();
      back.push(texts()[0]);
    }
    assert.deepEqual(back, ["b", "a", "line 1"]);
    assert.deepEqual([edits.undos.length, edits.redos.length], [0, 3]);
    const forth = [];
    for (let step = 0; step < 3; step += 1) {
      await edits.redo();
      forth.push(texts()[0]);
    }
    assert.deepEqual(forth, ["a", "b", "c"]);
    assert.deepEqual([edits.undos.length, edits.redos.length], [3, 0]);
  });

  test("goes back step by step also at once, after what is on its way", async () => {
    const written = ["a", "b"].map((text) => edits.do(write(1, text)));
    await Promise.all([...written, edits.undo(), edits.undo()]);
    assert.deepEqual(texts(), ["line 1", "line 2"]);
    assert.deepEqual([edits.undos.length, edits.redos.length], [0, 2]);
  });

  test("and then writing something else leaves nothing to redo", async () => {
    await edits.do(write(1, "a"));
    await edits.undo();
    await edits.do(write(2, "b"));
    assert.deepEqual([edits.undos.length, edits.redos.length], [1, 0]);
  });

  test("goes back through edits of several lines in turns", async () => {
    for (const [id, text] of /** @type {[number, string][]} */ ([
      [1, "a"],
      [2, "b"],
      [1, "c"],
    ])) {
      await edits.do(write(id, text));
    }
    for (let step = 0; step < 3; step += 1) await edits.undo();
    assert.deepEqual(texts(), ["line 1", "line 2"]);
  });

  test("does not go back over what somebody else wrote in between", async () => {
    await edits.do(write(1, "mine"));
    revision += 1;
    transcript.put({ ...line(1), asr: "theirs", revision });
    await edits.do(write(1, "mine again"));
    await edits.undo();
    const [step] = edits.undos;
    await assert.rejects(
      edits.do(() => step.edit),
      RequestError,
    );
    assert.deepEqual(texts(), ["theirs", "line 2"]);
  });

  test("nothing asks nobody", async () => {
    await edits.undo();
    await edits.redo();
    assert.equal(server.requests.length, 0);
  });
});

test("An edit that needs no more than a word gives its answer", async () => {
  assert.equal((await edits.try(write(1, "one")))?.lines[0].asr, "one");
});
