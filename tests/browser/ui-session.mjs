/** One MLflow server and one browser for everything that is looked at. What was looked at once is remembered. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { INSTRUMENTORS } from "./expected/conversations.mjs";
import { RETRIEVERS } from "./expected/documents.mjs";
import { ERRORS } from "./expected/errors.mjs";
import { openBrowser } from "./support/chromium.mjs";
import { storeEachWay, storeEachWayWithApplications } from "./support/store.mjs";
import { readList } from "./ui/trace-list.mjs";
import { TracePage } from "./ui/trace-page.mjs";

/** The payloads of `expected/`. */
export const PAYLOADS = [...INSTRUMENTORS.map(({ payloads }) => payloads), RETRIEVERS, ERRORS].flatMap(Object.keys);

/** Those whose applications also run now, with the Python package; the side `applications` has them. */
export const MADE_AGAIN = PAYLOADS.filter((payload) => /^py_(anthropic|langchain|llama_index|openai)_/.test(payload));

export class UiSession {
  /**
   * Stores every payload. With a folder for `screenshots`, what is looked at is photographed. `runsApplications` adds the
   * side `applications`.
   */
  static async start({ screenshots, runsApplications = false } = {}) {
    const store = await (runsApplications ? storeEachWayWithApplications : storeEachWay)(PAYLOADS);
    try {
      return new UiSession(store, await openBrowser(), screenshots);
    } catch (error) {
      await store.stop();
      throw error;
    }
  }

  constructor(store, browser, screenshots) {
    this.store = store;
    this.browser = browser;
    this.screenshots = screenshots;
    this.seen = new Map();
    this.pages = Object.fromEntries(
      ["translated", "raw", "python", "applications"]
        .filter((side) => store[side])
        .map((side) => [side, new TracePage(browser.page, store.uri, store[side].experimentId)]),
    );
  }

  async stop() {
    await this.browser.close();
    await this.store.stop();
  }

  /** The calls to a model, in the order in which they began; `of` chooses among the spans that are called so. */
  conversation(side, payload, of = /./) {
    return this.once(`${side} ${payload}`, async () => {
      const calls = this.spans(side, payload).filter(([, span]) => span.kind === "LLM" && of.test(span.name));
      const seen = [];
      for (const [trace, span] of calls) seen.push(await this.look(side, payload, trace, span, `${seen.length + 1}`));
      return seen;
    });
  }

  /** The first span of a name. */
  span(side, payload, name) {
    return this.once(`${side} ${payload} ${name}`, () => {
      const [trace, span] = this.named(side, payload, name);
      return this.look(side, payload, trace, span, name);
    });
  }

  async exception(side, payload, name) {
    const [trace, span] = this.named(side, payload, name);
    await this.pages[side].open(trace.id, span.id);
    const seen = await this.pages[side].exception();
    await this.photograph(side, payload, "exception");
    return seen;
  }

  /** The payload's rows in the list of traces. */
  async rows(side, payload) {
    const { experimentId, traces } = this.store[side];
    const count = Object.values(traces).flat().length;
    const rows = await this.once(`${side} list`, () =>
      readList(this.browser.page, this.store.uri, experimentId, count),
    );
    return traces[payload].map(({ id }) => rows.get(id));
  }

  async look(side, payload, trace, span, what) {
    await this.pages[side].open(trace.id, span.id);
    const seen = await this.pages[side].read();
    await this.photograph(side, payload, what);
    return seen;
  }

  /** Of what MLflow makes of raw payloads, and twice of the same spans, nobody needs a picture. */
  async photograph(side, payload, what) {
    if (!["translated", "applications"].includes(side) || !this.screenshots) return;
    await this.pages[side].screenshot(join(this.screenshots, `${payload.split(".")[0]}-${side}-${what}.png`));
  }

  spans(side, payload) {
    return this.store[side].traces[payload].flatMap((trace) => trace.spans.map((span) => [trace, span]));
  }

  named(side, payload, name) {
    const found = this.spans(side, payload).find(([, span]) => span.name === name);
    assert.ok(found, `${payload} has no span ${name}`);
    return found;
  }

  once(key, look) {
    if (!this.seen.has(key)) this.seen.set(key, look());
    return this.seen.get(key);
  }
}
