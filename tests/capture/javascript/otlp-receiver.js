/** An OTLP endpoint on loopback that keeps what exporters post, for instrumentations that send their spans themselves. */

import http from "node:http";

export class OtlpReceiver {
  #bodies = [];
  #server = http.createServer((request, response) => this.#keep(request, response));

  static async start() {
    const receiver = new OtlpReceiver();
    await new Promise((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get endpoint() {
    return `http://127.0.0.1:${this.#server.address().port}/v1/traces`;
  }

  /** What was posted since the last call, as one payload: protobuf messages that follow each other are one. */
  take() {
    return Buffer.concat(this.#bodies.splice(0));
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #keep(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    // Some exporters post logs as well.
    if (request.url === "/v1/traces") this.#bodies.push(...chunks);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  }
}
