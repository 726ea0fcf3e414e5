// A server that says what it is told to, and what it was asked. Importing this gives the tests an address and cookies,
// as a page has them.

/** @import { IncomingHttpHeaders } from "node:http" */

import { createServer } from "node:http";

Object.assign(globalThis, {
  document: { cookie: "" },
  location: new URL("https://asr.example/sessions/weekly/"),
});

/** @typedef {{method: string, url: string, headers: IncomingHttpHeaders, body: string}} Asked */
/** @typedef {{status: number, type: string, body: string, headers?: Record<string, string>}} Said */

export class TestServer {
  /** @type {Asked[]} */
  requests = [];
  /** @type {((asked: Asked) => Said | Promise<Said>)} */
  respond = () => ({ status: 404, type: "text/plain", body: "" });
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { method = "", url = "", headers } = request;
    const asked = { method, url, headers, body };
    this.requests.push(asked);
    const said = await this.respond(asked);
    response.writeHead(said.status, { "Content-Type": said.type, ...said.headers }).end(said.body);
  });

  /** @returns {Promise<void>} */
  start() {
    return new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  forget() {
    this.requests = [];
  }

  get url() {
    const address = this.server.address();
    return typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  }

  /**
   * @param {unknown} value
   * @param {number} [status]
   */
  answer(value, status = 200) {
    this.respond = () => ({ status, type: "application/json", body: JSON.stringify(value) });
  }

  /**
   * @param {string} body
   * @param {number} status
   */
  answerText(body, status) {
    this.respond = () => ({ status, type: "text/plain", body });
  }
}
