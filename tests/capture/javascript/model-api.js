/**
 * A model API of any provider, on loopback: it says what it was told to say, in that order, whatever it is prompts.
 *
 * A scenario names its answers, files of `capture/answers/`: `.json` is one body, `.sse` a stream of server-sent
 * events, `.events.json` one of Amazon's. An answer that is left over, or a question too many, fails the scenario.
 */

import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

import { eventStream } from "./event-stream.js";

const ANSWERS = path.resolve(import.meta.dirname, "../answers");
const CONTENT_TYPES = { ".json": "application/json", ".sse": "text/event-stream" };
const ECHOED = ["instructions", "tools"];

export class ModelApi {
  #answers = [];
  #excess = [];
  #server = http.createServer((request, response) => this.#answer(request, response));

  static async start() {
    const api = new ModelApi();
    await new Promise((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  /** Without a path: `http://127.0.0.1:<port>`. */
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** While `work` runs, answer with these files in turn; afterwards each must have been asked for, and no more. */
  async answering(names, work) {
    for (const name of names) this.#answers.push(await answer(name));
    const result = await work();
    if (this.#answers.length > 0 || this.#excess.length > 0) {
      const left = this.#answers.length;
      throw new Error(`${left} answers were not asked for; asked without an answer: ${this.#excess}`);
    }
    return result;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = this.#answers.shift();
    if (!answer) {
      this.#excess.push(request.url);
      response.writeHead(400, { "content-type": "application/json" });
      response.end('{"error": {"message": "the scenario has no answer for this", "type": "mock"}}');
      return;
    }
    const echo = request.url.endsWith("/responses") && answer.contentType === "application/json";
    response.writeHead(200, { "content-type": answer.contentType });
    response.end(echo ? echoing(JSON.parse(Buffer.concat(chunks)), answer.body) : answer.body);
  }
}

async function answer(name) {
  const text = await readFile(path.join(ANSWERS, name), "utf8");
  if (!name.endsWith(".events.json")) return { contentType: CONTENT_TYPES[path.extname(name)], body: text };
  return { contentType: "application/vnd.amazon.eventstream", body: eventStream(JSON.parse(text)) };
}

/** OpenAI's Responses API repeats parts of the request in its answer, and instrumentations read them there. */
function echoing(request, body) {
  const echoed = Object.fromEntries(ECHOED.filter((key) => key in request).map((key) => [key, request[key]]));
  return JSON.stringify({ ...JSON.parse(body), ...echoed });
}

export const PNG = await readFile(path.join(ANSWERS, "red.png"));
