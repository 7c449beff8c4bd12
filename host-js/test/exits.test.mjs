/** Every way in which a process ends: what arrives, and what is said about what does not. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  mock.behaviour.answer = ({ headers }) => headers["x-behaviour"] === "hangs" && { delay: 30_000 };
});
after(() => mock.stop());

/** Sends the signal once the application says that it is ready for it. */
const signalWhenReady = (signal) => {
  let sent = false;
  return (child, stdout) => {
    if (sent || !stdout.includes("ready")) return;
    sent = true;
    child.kill(signal);
  };
};
const STAY = `setInterval(() => {}, 1000); print("ready");`;

describe("the end of the process", { concurrency: 2 }, () => {
  test("normally: everything arrives, also of an unfinished trace", async () => {
    const { spans, code, stderr } = await app(
      mock,
      `autolog();
       const root = tracer.startSpan("never ends");
       tracer.startSpan("child", {}, trace.setSpan(context.active(), root)).end();
       span("a");`,
    );
    assert.deepEqual([names(spans), code, stderr], [["a", "child"], 0, ""]);
  });

  test("normally with flushOnExit: false: the loss is reported", async () => {
    const { spans, stderr } = await app(mock, `autolog({ flushOnExit: false }); span("a");`);
    assert.deepEqual(spans, []);
    assert.match(stderr, /the process ended before 1 span was sent/);
  });

  test("process.exit after await flush(): everything arrives", async () => {
    const { spans, code, stderr } = await app(mock, `autolog(); span("a"); await flush(); process.exit(3);`);
    assert.deepEqual([names(spans), code, stderr], [["a"], 3, ""]);
  });

  for (const [how, start] of [
    ["before the worker thread has started", ""],
    ["after a first delivery", `span("first"); await flush();`],
  ]) {
    test(`process.exit without a flush, ${how}: everything arrives, with the application's code`, async () => {
      const { spans, code, stderr } = await app(
        mock,
        `autolog(); ${start} span("a"); tracer.startSpan("child", {}, trace.setSpan(context.active(), tracer.startSpan("open"))).end(); process.exit(3);`,
      );
      assert.deepEqual([names(spans), code, stderr], [["a", "child", ...(start ? ["first"] : [])], 3, ""]);
    });
  }

  test("process.exit without a flush and without a thread: the loss is reported", async () => {
    const { code, stderr } = await app(mock, `autolog({ worker: false }); span("a"); span("b"); process.exit(3);`);
    assert.equal(code, 3);
    assert.match(stderr, /the process ended before 2 spans were sent: call `await flush\(\)` before the process ends/);
  });

  test("process.exit without a flush, and a server that is down: the loss is reported with the server's address", async () => {
    const { code, stderr } = await app(
      mock,
      `autolog({ trackingUri: "http://127.0.0.1:9" }); span("a"); process.exit(3);`,
    );
    assert.equal(code, 3);
    const message =
      /the process ended before 1 span was sent: the MLflow server at http:\/\/127\.0\.0\.1:9 does not answer/;
    assert.match(stderr, message);
  });

  test("process.exit after a flush that gave up: the message says so", async () => {
    const { code, stderr } = await app(
      mock,
      `autolog({ headers: { "x-behaviour": "hangs" } }); span("a"); await flush({ timeoutMillis: 200 }); process.exit(3);`,
    );
    assert.equal(code, 3);
    assert.match(stderr, /before 1 span was sent: .* needs longer than the last flush waited: raise timeoutMillis/);
    assert.doesNotMatch(stderr, /await flush/);
  });

  for (const [what, failure] of [
    ["an uncaught exception", `setTimeout(() => { throw new Error("the application's"); });`],
    ["an unhandled rejection", `void Promise.reject(new Error("the application's"));`],
  ]) {
    test(`${what}: everything arrives, with the application's own message and code`, async () => {
      const { spans, code, stderr } = await app(mock, `autolog(); span("a"); ${failure} await sleep(100);`);
      assert.deepEqual([names(spans), code], [["a"], 1], stderr);
      assert.match(stderr, /the application's/);
      assert.doesNotMatch(stderr, /openinference-mlflow:/);
    });
  }

  for (const signal of ["SIGTERM", "SIGINT"]) {
    test(`${signal} with flushOnSignals: everything arrives, then the signal ends the process`, async () => {
      const { spans, signal: ended } = await app(mock, `autolog({ flushOnSignals: true }); span("a"); ${STAY}`, {
        onStart: signalWhenReady(signal),
      });
      assert.deepEqual([names(spans), ended], [["a"], signal]);
    });
  }

  test("SIGTERM without the option: the process ends as it would without us", async () => {
    const { signal } = await app(mock, `autolog(); span("a"); ${STAY}`, { onStart: signalWhenReady("SIGTERM") });
    assert.equal(signal, "SIGTERM");
  });

  test("SIGTERM that the application handles itself: its handler runs once and decides the end", async () => {
    const { spans, code, printed } = await app(
      mock,
      `autolog({ flushOnSignals: ["SIGTERM"] }); span("a");
       process.on("SIGTERM", async () => { print("handled"); await flush(); process.exit(7); });
       ${STAY}`,
      { onStart: signalWhenReady("SIGTERM") },
    );
    assert.deepEqual([names(spans), code, printed], [["a"], 7, ["ready", "handled"]]);
  });

  test("an awaited provider.shutdown() sends what is left", async () => {
    const { spans } = await app(
      mock,
      `const provider = new NodeTracerProvider(); provider.register();
       autolog(); span("a"); await provider.shutdown(); process.exit();`,
    );
    assert.deepEqual(names(spans), ["a"]);
  });

  test("on Vercel the request is kept alive until its trace is sent", async () => {
    const { spans, printed } = await app(
      mock,
      `const waited = [];
       const request = { waitUntil: (promise) => waited.push(promise) };
       globalThis[Symbol.for("@vercel/request-context")] = { get: () => request };
       autolog(); span("a"); span("b");
       print(waited.length);
       await Promise.all(waited);
       process.exit();`,
    );
    assert.deepEqual([names(spans), printed], [["a", "b"], [1]]);
  });
});
