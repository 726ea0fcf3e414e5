import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

/** @import { Message } from "../../../static/js/connection/messages.js" */
/** @import { Clock } from "../support/page.js" */

import { SessionSocket, socketAddress } from "../../../static/js/connection/session-socket.js";
import { closePage, comeOnline, document, openPage, replace, Socket } from "../support/page.js";

/** @type {Clock} */
let clock;
/** @type {string[]} */
let states;
/** @type {Message[]} */
let messages;
/** @type {SessionSocket} */
let socket;

afterEach(closePage);

beforeEach(() => {
  clock = openPage();
  states = [];
  messages = [];
  socket = new SessionSocket({
    address: () => socketAddress("周会", { mode: "receiver", v: 2, since: messages.length }),
    onMessage: (message) => messages.push(message),
    onState: (state, fault) => states.push(fault ? `${state}: ${fault.code}` : state),
  });
  socket.open();
});

describe("A socket", () => {
  test("is open when the server has said hello", () => {
    assert.deepEqual([states, socket.isOpen], [["connecting"], false]);
    Socket.last.welcome();
    assert.deepEqual([states, socket.isOpen], [["connecting", "open"], true]);
  });

  test("gives every message", () => {
    Socket.last.welcome();
    Socket.last.say({ asr: "你好", final: false, start_ms: 0 });
    assert.equal(messages.length, 2);
    assert.equal(messages[1].final === false && messages[1].asr, "你好");
  });

  test("sends, and knows what the browser has not sent yet", () => {
    Socket.last.welcome();
    socket.send("close");
    Socket.last.bufferedAmount = 17;
    assert.deepEqual([Socket.last.sent, socket.waiting], [["close"], 17]);
  });

  test("that the server closes at the end is done, and does not come back", () => {
    Socket.last.welcome();
    Socket.last.break(1000);
    clock.pass(60_000);
    assert.deepEqual([states.at(-1), Socket.all.length], ["done", 1]);
  });

  test("that is refused says why, and does not come back", () => {
    Socket.last.complain({ code: "forbidden", close: 4403, retryable: false });
    Socket.last.break(4403);
    clock.pass(60_000);
    assert.deepEqual([states.at(-1), Socket.all.length], ["refused: forbidden", 1]);
  });

  test("that the page closes says no more", () => {
    Socket.last.welcome();
    socket.close();
    assert.equal(Socket.last.closedWith, 1000);
    Socket.last.say({ asr: "late", final: false, start_ms: 0 });
    Socket.last.break(1000);
    clock.pass(60_000);
    assert.deepEqual([states, messages.length, Socket.all.length], [["connecting", "open"], 1, 1]);
  });
});

describe("A connection that breaks", () => {
  test("is taken up again, from where the page is by then", () => {
    Socket.last.welcome();
    Socket.last.break();
    assert.equal(states.at(-1), "waiting");
    clock.pass(400);
    assert.equal(Socket.all.length, 2);
    assert.equal(Socket.last.url.searchParams.get("since"), "1");
    Socket.last.welcome();
    assert.deepEqual(states.slice(-2), ["connecting", "open"]);
  });

  test("again and again is taken up more and more slowly", () => {
    /** @type {number[]} */
    const waits = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const broken = clock.now;
      Socket.last.break();
      const count = Socket.all.length;
      while (Socket.all.length === count) clock.pass(10);
      waits.push(clock.now - broken);
    }
    const shortest = [300, 1000, 2000, 4000, 8000, 8000, 8000];
    waits.forEach((wait, at) => assert.ok(wait >= shortest[at] && wait <= 1.3 * shortest[at] + 20, `${waits}`));
  });

  test("after it was open is taken up quickly", () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      Socket.last.break();
      clock.pass(12_000);
    }
    Socket.last.welcome();
    Socket.last.break();
    const count = Socket.all.length;
    clock.pass(400);
    assert.equal(Socket.all.length, count + 1);
  });

  test("is taken up at once when the network is back, or the page is looked at", () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      Socket.last.break();
      clock.pass(12_000);
    }
    Socket.last.break();
    const count = Socket.all.length;
    comeOnline();
    assert.equal(Socket.all.length, count + 1);
    Socket.last.break();
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    assert.equal(Socket.all.length, count + 1);
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    assert.equal(Socket.all.length, count + 2);
    clock.pass(60_000);
    assert.equal(Socket.all.length, count + 2);
  });

  test("that is open is left alone when the page is looked at", () => {
    Socket.last.welcome();
    comeOnline();
    assert.equal(Socket.all.length, 1);
  });

  test("waits as long as a server asks that is full", () => {
    Socket.last.complain({ code: "overloaded", close: 4503, retry_after: 30 });
    Socket.last.break(4503);
    clock.pass(29_900);
    assert.equal(Socket.all.length, 1);
    clock.pass(200);
    assert.equal(Socket.all.length, 2);
  });

  test("forgets what was wrong with the one before", () => {
    Socket.last.complain({ code: "forbidden", close: 4403, retryable: false });
    Socket.last.break(4403);
    socket.isClosed = false;
    socket.open();
    Socket.last.break(1006);
    assert.equal(states.at(-1), "waiting");
  });
});

describe("A connection that is given up", () => {
  test("makes way for another, and is not listened to", () => {
    Socket.last.welcome();
    const [silent] = Socket.all;
    socket.renew();
    assert.equal(states.at(-1), "waiting");
    clock.pass(400);
    assert.equal(Socket.all.length, 2);
    silent.say({ asr: "late", final: false, start_ms: 0 });
    silent.break();
    clock.pass(60_000);
    assert.deepEqual([messages.length, Socket.all.length], [1, 2]);
  });

  test("has nothing to send on", () => {
    Socket.last.welcome();
    socket.renew();
    socket.send("close");
    assert.deepEqual([Socket.last.sent, socket.isOpen, socket.waiting], [[], false, 0]);
  });
});

describe("The address of a socket", () => {
  test("is this server's, as safe as the page", () => {
    const url = new URL(socketAddress("周会/1", { mode: "sender", v: 2 }));
    assert.equal(url.origin, "wss://asr.example");
    assert.equal(url.pathname, `/ws/asr/${encodeURIComponent("周会/1")}`);
    replace("location", new URL("http://localhost:8000/record/"));
    assert.ok(socketAddress("a", { mode: "sender", v: 2 }).startsWith("ws://localhost:8000/ws/asr/a?"));
  });

  test("leaves out what is empty", () => {
    const { searchParams } = new URL(
      socketAddress("a", { mode: "sender", v: 2, token: "", since: 0, title: "周会 & mehr" }),
    );
    assert.deepEqual(
      [...searchParams],
      [
        ["mode", "sender"],
        ["v", "2"],
        ["title", "周会 & mehr"],
      ],
    );
  });
});
