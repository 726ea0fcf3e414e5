import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { getBytes, getHtml, getJson, postJson, RequestError, sessionUrl } from "../../../static/js/lib/api.js";
import { TestServer } from "../support/server.js";

const server = new TestServer();

before(() => server.start());
after(() => server.stop());
beforeEach(() => server.forget());

/** @param {number} status */
const isRefusal = (status) => (/** @type {unknown} */ error) =>
  error instanceof RequestError && error.status === status;

describe("A request", () => {
  test("asks for JSON and gives the answer", async () => {
    server.answer({ lines: [1, 2] });
    assert.deepEqual(await getJson(`${server.url}/lines`), { lines: [1, 2] });
    assert.equal(server.requests[0].method, "GET");
    assert.equal(server.requests[0].url, "/lines");
    assert.equal(server.requests[0].headers.accept, "application/json");
  });

  test("that sends something shows that it comes from our page", async () => {
    document.cookie = "theme=dark; csrftoken=a%3Db; last=1";
    server.answer({ ok: true });
    assert.deepEqual(await postJson(`${server.url}/edits`, { kind: "title", title: "周会" }), { ok: true });
    const [request] = server.requests;
    assert.equal(request.method, "POST");
    assert.equal(request.headers["x-csrftoken"], "a=b");
    assert.equal(request.headers["content-type"], "application/json");
    assert.equal(request.headers.accept, "application/json");
    assert.deepEqual(JSON.parse(request.body), { kind: "title", title: "周会" });
  });

  test("without a cookie sends an empty token", async () => {
    document.cookie = "xcsrftoken=other";
    server.answer({});
    await postJson(`${server.url}/edits`, {});
    assert.equal(server.requests[0].headers["x-csrftoken"], "");
  });

  test("that is refused says why in the server's words, with all of its answer", async () => {
    server.answer({ error: "Somebody was quicker.", lines: [{ id: 3 }] }, 409);
    await assert.rejects(
      postJson(`${server.url}/edits`, {}),
      (/** @type {RequestError} */ error) =>
        isRefusal(409)(error) && error.message === "Somebody was quicker." && error.answer.lines[0].id === 3,
    );
  });

  test("that a proxy refuses says at least the status", async () => {
    server.answerText("<h1>Bad gateway</h1>", 502);
    await assert.rejects(getJson(server.url), {
      message: "The server refused the request. (502)",
      status: 502,
      answer: {},
    });
  });

  test("that succeeds without JSON gives an empty answer", async () => {
    server.answerText("fine", 200);
    assert.deepEqual(await getJson(server.url), {});
  });

  test("that reaches nobody says so", async () => {
    await assert.rejects(getJson("http://127.0.0.1:1/"), { message: "The server cannot be reached.", status: 0 });
  });
});

describe("A page", () => {
  test("is asked for as such, and given as it comes", async () => {
    server.respond = () => ({ status: 200, type: "text/html", body: "<h1>Meetings</h1>" });
    assert.equal(await getHtml(server.url), "<h1>Meetings</h1>");
    assert.equal(server.requests[0].headers.accept, "text/html");
  });

  test("that is refused is an error", async () => {
    server.answerText("<h1>Bad gateway</h1>", 502);
    await assert.rejects(getHtml(server.url), isRefusal(502));
    await assert.rejects(getHtml("http://127.0.0.1:1/"), isRefusal(0));
  });

  test("in whose place the login answers is an error", async () => {
    server.respond = ({ url }) =>
      url === "/login/"
        ? { status: 200, type: "text/html", body: "<h1>Log in</h1>" }
        : { status: 302, type: "text/html", body: "", headers: { Location: "/login/" } };
    await assert.rejects(getHtml(`${server.url}/`), isRefusal(200));
  });
});

describe("Bytes", () => {
  test("are given as they come", async () => {
    server.answerText("\u0000\u0001\u007f", 200);
    assert.deepEqual([...(await getBytes(server.url))], [0, 1, 127]);
  });

  test("that are refused are none, nor where nobody answers", async () => {
    server.answerText("no such session", 404);
    assert.deepEqual(await getBytes(server.url), new Uint8Array());
    assert.deepEqual(await getBytes("http://127.0.0.1:1/"), new Uint8Array());
  });
});

describe("An address of a session", () => {
  const session = { sessionsUrl: "/sessions/", key: "周会 1/2", token: "" };

  test("is below its page, whatever its key", () => {
    const url = new URL(sessionUrl(session, "lines/3/words"));
    assert.equal(url.pathname, `/sessions/${encodeURIComponent("周会 1/2")}/lines/3/words`);
    assert.equal(url.search, "");
  });

  test("takes a share link's token along, and parameters", () => {
    const url = new URL(sessionUrl({ ...session, token: "a&b" }, "people", { q: "李 芳", first: 0 }));
    assert.deepEqual(
      [...url.searchParams],
      [
        ["token", "a&b"],
        ["q", "李 芳"],
        ["first", "0"],
      ],
    );
  });

  test("is complete", () => {
    assert.equal(
      sessionUrl({ sessionsUrl: "/asr/sessions/", key: "a", token: "" }, ""),
      "https://asr.example/asr/sessions/a/",
    );
  });
});
