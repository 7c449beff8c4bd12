/** Threads, and counters that add up. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

/** MLflow's own refusal; a proxy's has no such body. */
const FORBIDDEN = '{"error_code":"PERMISSION_DENIED","message":"Permission denied"}';

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  mock.behaviour.answer = ({ path, headers }) => {
    const behaviour = headers["x-behaviour"];
    if (behaviour?.startsWith("denied")) return { status: Number(behaviour.split(" ")[1]) };
    if (behaviour === "forbids" && path === "/v1/traces") return { status: 403, body: FORBIDDEN };
    if (behaviour === "rejects" && path === "/v1/traces") return { status: 422, body: '{"detail":"no"}' };
    return undefined;
  };
});
after(() => mock.stop());

/** Counts the worker threads that run now and that ever ran. */
const WATCH = `
  const threads = (await import("node:worker_threads")).default;
  const { syncBuiltinESMExports } = await import("node:module");
  const { Worker } = threads;
  let [running, most, started] = [0, 0, 0];
  threads.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      started++;
      most = Math.max(most, ++running);
      this.on("exit", () => running--);
    }
  };
  syncBuiltinESMExports();
`;

describe("one worker thread a process", { concurrency: 2 }, () => {
  test("serves 20 processors that are made and shut down, and ends after the last", async () => {
    const { spans, printed, stderr } = await app(
      mock,
      `${WATCH}
       for (let i = 0; i < 20; i++) {
         const provider = new NodeTracerProvider({ spanProcessors: [new MlflowSpanProcessor({ experiment: "e" })] });
         provider.getTracer("x").startSpan("s").end();
         await provider.shutdown();
       }
       while (running > 0) await sleep(20);
       print([most, stats().delivered, stats().pending]);`,
    );
    assert.deepEqual([printed, spans.length], [[[1, 20, 0]], 20], stderr);
  });

  test("serves 60 changes of the server and 100 of the headers", async () => {
    const { printed, stderr } = await app(
      mock,
      `${WATCH}
       autolog();
       const uri = process.env.MLFLOW_TRACKING_URI;
       for (let i = 0; i < 60; i++) { setTrackingUri(i % 2 ? uri : uri.replace("127.0.0.1", "localhost")); span("s"); }
       for (let i = 0; i < 100; i++) { autolog({ headers: { "x-i": String(i) } }); span("s"); }
       await flush();
       print([started, stats().delivered]);`,
    );
    assert.deepEqual(printed, [[1, 160]], stderr);
  });
});

describe("a server that denies access", { concurrency: 2 }, () => {
  for (const status of [401, 403]) {
    for (const [what, end] of [
      ["a flush", "await flush(); print(stats().pending);"],
      ["the end of the process", "print(stats().pending);"],
      ["process.exit", "print(stats().pending); process.exit();"],
    ]) {
      test(`ends ${what} at its first answer, and the message names it (${status})`, async () => {
        const { requests, printed, signal, stderr } = await app(
          mock,
          `autolog({ headers: { "x-behaviour": "denied ${status}" }, flushTimeoutMillis: 600_000 }); span("a"); ${end}`,
        );
        // Within the limit of a test, though the flush may wait for ten minutes.
        assert.deepEqual([printed, signal], [[1], null], stderr);
        // A few more on a slow machine, where the pauses between attempts pass meanwhile.
        assert.ok(requests.length >= 1 && requests.length <= 10, String(requests.length));
        assert.match(
          stderr,
          /the process ended before 1 span was sent: the MLflow server at http:\/\/127\.0\.0\.1:\d+\/\S+ denies access/,
        );
        if (!end.includes("exit")) assert.ok(stderr.includes(`denies access (${status})`), stderr);
      });
    }
  }

  test("to an experiment: the span is said to be lost at once, with MLflow's reason", async () => {
    const { printed, signal, stderr } = await app(
      mock,
      `autolog({ headers: { "x-behaviour": "forbids" }, flushTimeoutMillis: 600_000 }); span("a");
       await flush(); print(stats());`,
    );
    assert.equal(signal, null, stderr);
    assert.deepEqual([printed[0].quarantined, printed[0].pending], [1, 0], stderr);
    assert.match(stderr, /rejects a span of trace [0-9a-f]{32}, which is lost: .*PERMISSION_DENIED/);
  });
});

describe("stats()", { concurrency: 2 }, () => {
  /** A small generator, so that each seed is one application. */
  const random = (seed) => () => {
    seed = (seed * 1664525 + 1013904223) % 2 ** 32;
    return seed / 2 ** 32;
  };

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`adds up at every moment, whatever the application does (seed ${seed})`, async () => {
      const next = random(seed);
      const pick = (items) => items[Math.floor(next() * items.length)];
      const steps = Array.from({ length: 60 }, () =>
        pick([
          `span("keep");`,
          `span("skip");`,
          `tree();`,
          `span("mlflow's", { "mlflow.traceRequestId": "tr-1" });`,
          `span("masked", { secret: "boom" });`,
          `for (let i = 0; i < 40; i++) tree();`,
          `autolog({ filter: (span) => span.name !== "skip" });`,
          `autolog({ filter: undefined });`,
          `autolog({ openInferenceOnly: true });`,
          `autolog({ openInferenceOnly: false });`,
          `autolog({ headers: { "x-behaviour": "${pick(["rejects", "none", "other"])}" } });`,
          `autolog({ worker: ${pick([true, false])} });`,
          `autolog({ maxQueueSpans: ${pick([50, 1000])} });`,
          `await flush({ timeoutMillis: 200 });`,
          `await sleep(20);`,
        ]),
      );
      const { printed, code, stderr } = await app(
        mock,
        `const tree = () => tracer.startActiveSpan("keep", { attributes: { "openinference.span.kind": "CHAIN" } }, (root) => {
           tracer.startActiveSpan("skip", (middle) => { tracer.startSpan("leaf").end(); middle.end(); });
           root.end();
         });
         autolog({ silent: true, flushTimeoutMillis: 120_000, mask: (value) => { if (value === "boom") throw new Error("mask"); return value; } });
         let wrong = [];
         const check = () => {
           const s = stats();
           const sum = s.delivered + s.dropped + s.filtered + s.quarantined + s.pending;
           if (s.received !== sum || Object.values(s).some((count) => count < 0)) wrong.push(s);
         };
         const watch = setInterval(check, 1);
         ${steps.map((step) => `${step} check();`).join("\n")}
         await flush(); check(); clearInterval(watch);
         print([wrong.slice(0, 3), stats()]);`,
      );
      assert.equal(code, 0, stderr);
      const [wrong, last] = printed[0];
      assert.deepEqual(wrong, []);
      assert.equal(last.pending, 0);
    });
  }
});

describe("filter", { concurrency: 2 }, () => {
  test("children of a filtered span move to the nearest kept ancestor, or become roots", async () => {
    const { spans, printed } = await app(
      mock,
      `autolog({ filter: (span) => !span.name.startsWith("http") });
       tracer.startActiveSpan("http GET", (get) => {
         tracer.startActiveSpan("agent", { attributes: { "openinference.span.kind": "AGENT" } }, (agent) => {
           tracer.startActiveSpan("http POST", (post) => {
             tracer.startSpan("model", { attributes: { "openinference.span.kind": "LLM" } }).end();
             post.end();
           });
           agent.end();
         });
         get.end();
       });
       await flush(); print(stats());`,
    );
    assert.deepEqual(names(spans), ["agent", "model"]);
    const [agent, model] = ["agent", "model"].map((name) => spans.find((span) => span.name === name));
    assert.deepEqual([agent.parentSpanId, model.parentSpanId], ["", agent.spanId]);
    const counters = { received: 4, delivered: 2, dropped: 0, filtered: 2, quarantined: 0, pending: 0 };
    assert.deepEqual(printed, [counters]);
  });
});

describe("where the traces are", { concurrency: 2 }, () => {
  test("is printed once, at the first success, and getTraceUrl names each trace", async () => {
    const { successes, printed, name, spans } = await app(
      mock,
      `autolog({ experiment: "shop" }); print(getLastTraceId() ?? null);
       span("a"); span("b"); await flush(); span("c"); await flush();
       print([getLastTraceId(), getTraceUrl(), getTraceUrl("f".repeat(32)) ?? null]);`,
    );
    const experiment = `${mock.uri(name)}/#/experiments/1/traces`;
    assert.deepEqual(successes, [`openinference-mlflow: traces are in MLflow: ${experiment}\n`]);
    const id = `tr-${spans.find((span) => span.name === "c").traceId}`;
    assert.deepEqual(printed, [null, [id, `${experiment}?selectedEvaluationId=${id}`, null]]);
  });
});

test("logFeedback becomes an assessment of MLflow, and no trace", async () => {
  const { requests, spans, printed, stderr } = await app(
    mock,
    `autolog(); span("a"); await flush();
     logFeedback({ traceId: getLastTraceId(), name: "helpful", value: true, rationale: "It works.", source: { kind: "HUMAN", id: "ann" } });
     await flush(); print(stats());`,
  );
  assert.deepEqual(names(spans), ["a"], stderr);
  const sent = requests.filter(({ path }) => path.endsWith("/assessments")).map(({ body }) => JSON.parse(body));
  assert.equal(
    sent.length,
    1,
    JSON.stringify([
      printed,
      requests.map(({ method, path, body }) => [method, path, path.includes("assess") ? String(body) : ""]),
    ]),
  );
  const { assessment } = sent[0];
  assert.equal(assessment.assessment_name, "helpful");
  assert.equal(assessment.feedback.value, true);
  assert.equal(assessment.rationale, "It works.");
  assert.equal(assessment.source.source_type, "HUMAN");
});
