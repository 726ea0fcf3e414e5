import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

/** @import { SenderParts } from "../../../static/js/recording/sender.js" */
/** @import { Clock } from "../support/page.js" */

import { FileError } from "../../../static/js/recording/file-audio.js";
import { Sender } from "../../../static/js/recording/sender.js";
import { closePage, openPage, replace, Socket } from "../support/page.js";

const SECOND = 16_000;

/** @type {Clock} */
let clock;
/** @type {string[]} */
let told;
let attempts = 0;

/** A browser's decoder, for files whose bytes are how many seconds they last; 0 is no audio. */
class Decoder {
  /** @param {ArrayBuffer} bytes */
  decodeAudioData(bytes) {
    const [seconds] = new Uint8Array(bytes);
    if (!seconds) throw new Error("no audio");
    const samples = Float32Array.from({ length: seconds * SECOND }, (_, at) => at);
    return Promise.resolve({ numberOfChannels: 1, getChannelData: () => samples });
  }
}

beforeEach(() => {
  clock = openPage();
  replace("OfflineAudioContext", Decoder);
  told = [];
  attempts = 0;
});

afterEach(closePage);

/**
 * Begin to send a file, as fast as the server takes it.
 *
 * @param {{seconds?: number, isInRealTime?: boolean} & Partial<SenderParts>} [options]
 */
async function send({ seconds = 3, isInRealTime = false, ...parts } = {}) {
  const sender = new Sender({
    key: "周会",
    attempt: () => (attempts += 1),
    marks: () => ({ since: 4, revision: 2 }),
    listener: {
      message: (message) => message.final === true && told.push(`line ${message.asr}`),
      connection: (state, fault) => told.push(`connection ${state}${fault ? `: ${fault.code}` : ""}`),
      state: (state) => told.push(state),
      level: () => {},
      heard: () => {},
      lost: () => told.push("lost"),
      unshared: () => told.push("unshared"),
      moved: (earlier) => told.push(`moved from ${earlier}`),
      leftOver: (pieces) => told.push(`${pieces.reduce((sum, piece) => sum + piece.length, 0)} left over`),
    },
    ...parts,
  });
  const file = /** @type {any} */ ({
    name: "a.wav",
    size: 1,
    arrayBuffer: () => Promise.resolve(Uint8Array.of(seconds).buffer),
  });
  await sender.startFile(file, { isInRealTime });
  return sender;
}

const ack = (/** @type {number} */ durable) => Socket.last.say({ event: { type: "ack", received: durable, durable } });

/**
 * @param {number} from
 * @param {number} to
 */
const samples = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);

describe("A sender", () => {
  test("says who it is, and what its page knows already", async () => {
    await send({ title: "Weekly", models: "people", token: "secret" });
    assert.equal(Socket.last.url.pathname, `/ws/asr/${encodeURIComponent("周会")}`);
    assert.deepEqual(Object.fromEntries(Socket.last.url.searchParams), {
      mode: "sender",
      v: "2",
      title: "Weekly",
      models: "people",
      token: "secret",
      attempt: "1",
      since: "4",
      revision: "2",
    });
  });

  test("who resumes asks for no title and no models: the session has them", async () => {
    await send({ title: "Weekly", models: "people", resume: "right" });
    const asked = Object.fromEntries(Socket.last.url.searchParams);
    assert.deepEqual([asked.title, asked.models, asked.resume], [undefined, undefined, "right"]);
  });

  test("sends nothing before the server has said hello", async () => {
    await send();
    clock.pass(1000);
    assert.deepEqual(Socket.last.sent, []);
  });

  test("sends all audio in order, in frames the server takes, and then says that it is over", async () => {
    const sender = await send();
    Socket.last.welcome();
    clock.pass(1000);
    assert.deepEqual(Socket.last.samples, samples(0, 3 * SECOND));
    assert.ok(Socket.last.sent.every((data) => !(data instanceof Float32Array) || data.length <= 65_536));
    assert.equal(Socket.last.sent.at(-1), "close");
    assert.equal(Socket.last.sent.filter((data) => data === "close").length, 1);
    assert.equal(sender.state, "ending");
  });

  test("is done when the server confirms the end", async () => {
    const sender = await send();
    Socket.last.welcome();
    clock.pass(1000);
    assert.equal(sender.isSafe, false);
    Socket.last.say({ event: { type: "session_end", seq: 0, received: 3 * SECOND, closed_by: "sender" } });
    assert.deepEqual([sender.state, sender.isSafe], ["ended", true]);
    Socket.last.break(1000);
    clock.pass(60_000);
    assert.deepEqual(
      told.filter((word) => word === "ended"),
      ["ended"],
    );
    assert.equal(Socket.all.length, 1);
  });

  test("keeps the order of its states", async () => {
    await send();
    Socket.last.welcome();
    clock.pass(1000);
    Socket.last.say({ event: { type: "session_end", seq: 0, received: 3 * SECOND, closed_by: "sender" } });
    assert.deepEqual(told, ["recording", "connection connecting", "connection open", "ending", "ended"]);
  });

  test("lets nothing pile up in the browser's socket", async () => {
    await send({ seconds: 60 });
    Socket.last.bufferedAmount = 256 * 1024;
    Socket.last.welcome();
    clock.pass(2000);
    assert.deepEqual(Socket.last.sent, []);
    Socket.last.bufferedAmount = 0;
    clock.pass(300);
    assert.ok(Socket.last.samples.length > 0);
  });

  test("knows how much the server does not have yet", async () => {
    const sender = await send({ seconds: 60 });
    Socket.last.bufferedAmount = 256 * 1024;
    Socket.last.welcome();
    clock.pass(2000);
    assert.ok(sender.unsentMs > 4000 + 1900 && sender.unsentMs < 4200 + 2100, String(sender.unsentMs));
    assert.equal(sender.fileMs, 60_000);
  });

  test("of a file without audio does not begin", async () => {
    await assert.rejects(send({ seconds: 0 }), FileError);
    assert.equal(Socket.all.length, 0);
  });
});

describe("A pause", () => {
  test("holds a file where it is", async () => {
    const sender = await send({ seconds: 10, isInRealTime: true });
    Socket.last.welcome();
    clock.pass(2000);
    sender.pause();
    const { length } = Socket.last.samples;
    clock.pass(30_000);
    assert.equal(Socket.last.samples.length, length);
    sender.goOn();
    clock.pass(9000);
    assert.deepEqual(Socket.last.samples, samples(0, 10 * SECOND));
    assert.equal(Socket.all.length, 1); // the server had nothing to say meanwhile
  });

  test("keeps the connection by empty frames", async () => {
    const sender = await send({ seconds: 10, isInRealTime: true });
    Socket.last.welcome();
    clock.pass(1000);
    sender.pause();
    Socket.last.sent = [];
    clock.pass(60_000);
    assert.ok(Socket.last.sent.every((data) => data instanceof ArrayBuffer && !data.byteLength));
    assert.equal(Socket.last.sent.length, 3);
    assert.equal(Socket.all.length, 1);
  });
});

describe("After a lost connection", () => {
  test("a sender goes on by its right, from where the server is, and loses no sample", async () => {
    const sender = await send({ seconds: 20, isInRealTime: true });
    Socket.last.welcome({ resume: "first right" });
    for (let second = 1; second <= 5; second += 1) {
      clock.pass(1000);
      ack(second * SECOND - 8000);
    }
    Socket.last.break();
    assert.equal(told.at(-1), "connection waiting");
    clock.pass(400);
    assert.equal(Socket.last.url.searchParams.get("resume"), "first right");
    Socket.last.welcome({ resume: "second right", resume_from: 4.5 * SECOND });
    for (let second = 5; second <= 20; second += 1) {
      clock.pass(1000);
      ack(second * SECOND);
    }
    assert.deepEqual(Socket.last.samples, samples(4.5 * SECOND, 20 * SECOND));
    assert.equal(Socket.last.sent.at(-1), "close");
    assert.equal(sender.resume, "second right");
  });

  test("the word that it is over is said again", async () => {
    await send();
    Socket.last.welcome();
    clock.pass(1000);
    Socket.last.break();
    clock.pass(400);
    Socket.last.welcome({ resume_from: 3 * SECOND });
    assert.deepEqual(Socket.last.sent, ["close"]);
  });

  test("a microphone's place in the session is where the server says first", async () => {
    const sender = await send();
    Socket.last.welcome({ resume_from: 100 * SECOND });
    clock.pass(1000);
    assert.equal(sender.outbox.start, 100 * SECOND);
    assert.deepEqual(Socket.last.samples, samples(0, 3 * SECOND));
  });
});

describe("A network that went away without a word", () => {
  test("is given up after twelve seconds while audio flows", async () => {
    await send({ seconds: 60, isInRealTime: true });
    Socket.last.welcome();
    clock.pass(12_000);
    assert.equal(Socket.all.length, 1);
    clock.pass(1000);
    assert.deepEqual([Socket.all.length, Socket.all[0].closedWith], [2, 1005]);
  });

  test("is given more and more time where the server is only slow", async () => {
    await send({ seconds: 255, isInRealTime: true });
    /** @type {number[]} */
    const waits = [];
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      Socket.last.welcome();
      const since = clock.now;
      while (Socket.all.length === attempt) clock.pass(50);
      waits.push(Math.round((clock.now - since) / 1000));
    }
    assert.deepEqual(
      waits.map((wait) => 12 * Math.floor(wait / 12)),
      [12, 24, 48, 60, 60],
    );
  });

  test("is not suspected while the server answers, nor in a pause", async () => {
    const sender = await send({ seconds: 255, isInRealTime: true });
    Socket.last.welcome();
    for (let second = 0; second < 100; second += 10) {
      clock.pass(10_000);
      ack(second * SECOND);
    }
    sender.pause();
    clock.pass(100_000);
    assert.equal(Socket.all.length, 1);
  });
});

describe("A session that cannot go on", () => {
  test("ends the sender, which says why", async () => {
    const sender = await send({ seconds: 60, isInRealTime: true });
    Socket.last.welcome();
    clock.pass(1000);
    Socket.last.complain({ code: "superseded", close: 4411, retryable: false });
    Socket.last.break(4411);
    assert.deepEqual(told.slice(-2), ["ended", "connection refused: superseded"]);
    const { length } = Socket.last.sent;
    clock.pass(60_000);
    assert.deepEqual([Socket.last.sent.length, Socket.all.length, sender.isSafe], [length, 1, true]);
  });

  for (const code of ["superseded", "recognition_failed", "unauthorized"]) {
    test(`because of ${code} leaves over what the server has not received`, async () => {
      const sender = await send({ seconds: 60, isInRealTime: true });
      Socket.last.welcome();
      clock.pass(3000);
      ack(2 * SECOND);
      const { end: recorded } = sender.outbox;
      Socket.last.complain({ code, close: 4411, retryable: false });
      Socket.last.break(4411);
      assert.ok(told.includes(`${recorded - 2 * SECOND} left over`), told.join());
    });
  }
});

/**
 * @param {string} closedBy
 * @param {number} received
 */
const end = (closedBy, received) =>
  Socket.last.say({ event: { type: "session_end", seq: 0, received, received_s: 0, closed_by: closedBy } });

const query = (/** @type {string} */ name) => Socket.last.url.searchParams.get(name);
const path = () => decodeURIComponent(Socket.last.url.pathname);

describe("A session that goes on with one that has ended", () => {
  test("shows the right to, is called like that one, and is the page's own", async () => {
    await send({ continues: "its right", title: "Weekly", models: "people" });
    assert.deepEqual(["continues", "resume", "title", "models", "since"].map(query), [
      "its right",
      null,
      null,
      null,
      "4",
    ]);
  });
});

describe("A session that ended while its sender was away", () => {
  for (const closedBy of ["absence", "limit"]) {
    test(`is gone on with in another one, by ${closedBy}: nothing is missing`, async () => {
      const sender = await send({ seconds: 20, isInRealTime: true, title: "Weekly", token: "secret" });
      Socket.last.welcome({ resume: "first right" });
      clock.pass(5000);
      Socket.last.break();
      clock.pass(5000);
      Socket.last.welcome({ resume: "first right", resume_from: 4.5 * SECOND });
      end(closedBy, 4.5 * SECOND);
      assert.equal(path(), "/ws/asr/周会-2");
      assert.deepEqual(["continues", "resume", "title", "since", "token"].map(query), [
        "first right",
        null,
        null,
        null,
        "secret",
      ]);
      assert.ok(told.includes("moved from 周会"));
      Socket.last.welcome({ resume: "second right" });
      for (let second = 1; second <= 15; second += 1) {
        clock.pass(1000);
        ack((second - 1) * SECOND);
      }
      clock.pass(1000);
      assert.deepEqual(Socket.last.samples, samples(4.5 * SECOND, 20 * SECOND));
      assert.deepEqual([Socket.last.sent.at(-1), sender.state], ["close", "ending"]);
      end("sender", 15.5 * SECOND);
      assert.deepEqual([sender.state, told.some((word) => word.endsWith("left over"))], ["ended", false]);
    });
  }

  test("is asked for in the next session by the right of that one, after another lost connection", async () => {
    await send({ seconds: 20, isInRealTime: true });
    Socket.last.welcome({ resume: "first right" });
    clock.pass(1000);
    end("absence", SECOND);
    Socket.last.welcome({ resume: "second right" });
    Socket.last.break();
    clock.pass(1000);
    assert.deepEqual([path(), query("resume")], ["/ws/asr/周会-2", "second right"]);
    Socket.last.welcome({ resume: "second right" });
    end("absence", 0);
    assert.deepEqual([path(), query("continues")], ["/ws/asr/周会-3", "second right"]);
  });

  for (const code of ["bad_parameter", "forbidden", "session_ended"]) {
    test(`gets another key where ${code} says that the first is taken`, async () => {
      const sender = await send({ seconds: 20, isInRealTime: true });
      Socket.last.welcome({ resume: "first right" });
      end("absence", 0);
      Socket.last.complain({ code, close: 4400, retryable: false });
      Socket.last.break(4400);
      assert.deepEqual([path(), query("continues"), sender.state], ["/ws/asr/周会-3", "first right", "recording"]);
    });
  }

  test("may be one whose first word was lost: the recording begins under another key", async () => {
    const sender = await send({ seconds: 20, isInRealTime: true, title: "Weekly" });
    Socket.last.break();
    clock.pass(2000);
    Socket.last.complain({ code: "session_ended", close: 4410, retryable: false });
    Socket.last.break(4410);
    assert.deepEqual([path(), query("continues"), query("title")], ["/ws/asr/周会-2", null, "Weekly"]);
    assert.deepEqual([sender.state, told.at(-1)], ["recording", "moved from 周会"]);
  });

  test("is refused where it had ended before anybody came", async () => {
    const sender = await send({ seconds: 20, isInRealTime: true });
    Socket.last.complain({ code: "session_ended", close: 4410, retryable: false });
    Socket.last.break(4410);
    assert.equal(sender.state, "ended");
  });

  test("is gone on with also by who has said that it is over, until all is kept", async () => {
    const sender = await send({ seconds: 3 });
    Socket.last.welcome();
    clock.pass(1000);
    Socket.last.break();
    clock.pass(1000);
    Socket.last.welcome({ resume_from: 2 * SECOND });
    end("absence", 2 * SECOND);
    Socket.last.welcome();
    clock.pass(1000);
    assert.deepEqual(Socket.last.samples, samples(2 * SECOND, 3 * SECOND));
    end("sender", SECOND);
    assert.equal(sender.state, "ended");
  });
});

test("A session that somebody else ended leaves over what is not in it", async () => {
  const sender = await send({ seconds: 60, isInRealTime: true });
  Socket.last.welcome();
  clock.pass(3000);
  const { end: recorded } = sender.outbox;
  end("person", 2 * SECOND);
  assert.equal(sender.state, "ended");
  assert.ok(told.includes(`${recorded - 2 * SECOND} left over`));
  assert.equal(Socket.all.length, 1);
});

test("Lines come to the page through the sender", async () => {
  await send();
  Socket.last.welcome();
  Socket.last.say({ asr: "你好。", final: true, id: 1, seq: 1, start_ms: 0, end_ms: 900, edited: false });
  assert.equal(told.at(-1), "line 你好。");
});
