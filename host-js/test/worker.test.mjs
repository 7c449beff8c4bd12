/** The worker thread that translates and sends: what it takes off the main thread, and what happens without it. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  mock.behaviour.answer = ({ path, headers }) =>
    path === "/v1/traces" && headers["x-behaviour"] === "slow" ? { delay: 300 } : undefined;
});
after(() => mock.stop());

/** Keeps every worker that is started. */
const WATCH = `
  const threads = (await import("node:worker_threads")).default;
  const workers = [];
  const { Worker } = threads;
  const { syncBuiltinESMExports } = await import("node:module");
  threads.Worker = class extends Worker { constructor(...args) { super(...args); workers.push(this); } };
  syncBuiltinESMExports();
  let fetched = 0;
  const { fetch } = globalThis;
  globalThis.fetch = (...args) => { fetched++; return fetch(...args); };
`;

const all = (count) => ({ received: count, delivered: count, dropped: 0, filtered: 0, quarantined: 0, pending: 0 });

describe("the worker thread", { concurrency: 2 }, () => {
  test("does all of it by default, once for the process", async () => {
    const { spans, printed, stderr } = await app(
      mock,
      `${WATCH} autolog(); span("a"); await flush(); span("b"); await flush(); print([stats(), workers.length, fetched]);`,
    );
    assert.deepEqual([names(spans), printed], [["a", "b"], [[all(2), 1, 0]]], stderr);
  });

  for (const [why, options, before] of [
    ["worker: false", "worker: false", ""],
    [
      "no thread can be had",
      "",
      `threads.Worker = class { constructor() { throw new Error("not here"); } };
      syncBuiltinESMExports();`,
    ],
    [
      "the application has set a dispatcher for fetch",
      "",
      `await fetch(process.env.MLFLOW_TRACKING_URI + "/version");
       const key = Symbol.for("undici.globalDispatcher.1");
       const agent = globalThis[key];
       globalThis[key] = new (class ProxyAgent { dispatch(...args) { return agent.dispatch(...args); } })();`,
    ],
  ]) {
    test(`is not there with ${why}: the main thread does it`, async () => {
      const { spans, printed, stderr } = await app(
        mock,
        `${WATCH} ${before} autolog({ ${options} }); span("a"); await flush(); print([stats(), workers.length, fetched > 0]);`,
      );
      assert.deepEqual([names(spans), printed], [["a"], [[all(1), 0, true]]], stderr);
    });
  }

  test("that ends unexpectedly costs no span: the main thread goes on", async () => {
    const { spans, printed, code, stderr } = await app(
      mock,
      `${WATCH} autolog({ headers: { "x-behaviour": "slow" } });
       for (let i = 0; i < 100; i++) span("before" + i);
       while (stats().delivered === 0) { void flush({ timeoutMillis: 100 }); await sleep(10); }
       for (let i = 0; i < 100; i++) span("during" + i);
       await sleep(50);
       await workers[0].terminate();
       for (let i = 0; i < 100; i++) span("after" + i);
       await flush();
       print([stats(), workers.length, fetched > 0]);`,
    );
    assert.deepEqual([printed, code], [[[all(300), 1, true]], 0], stderr);
    assert.equal(new Set(names(spans)).size, 300);
  });

  test("loads nothing that is preloaded into the application", async () => {
    const script = `import { isMainThread } from "node:worker_threads"; if (!isMainThread) console.error("preloaded");`;
    const preload = `data:text/javascript,${encodeURIComponent(script)}`;
    const { spans, stderr } = await app(mock, `autolog(); span("a"); await flush();`, {
      args: ["--import", preload],
      env: { NODE_OPTIONS: `--import=${preload}` },
    });
    assert.deepEqual([names(spans), stderr], [["a"], ""]);
  });

  test("keeps no process alive", async () => {
    const { code, printed } = await app(
      mock,
      `autolog(); span("a"); await flush(); process.on("exit", () => print(stats().delivered));`,
    );
    assert.deepEqual([code, printed], [0, [1]]);
  });
});
