/** `autolog()` never throws: a bad option is named, its default is used, and no span is lost. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  mock.behaviour.answer = ({ path, headers }, application) => {
    if (path === "/delete-experiments") application.deleted = true;
    const isRefused = headers["x-behaviour"] === "rejects" && path === "/v1/traces";
    return isRefused ? { status: 422, body: '{"detail":"not this one"}' } : undefined;
  };
});
after(() => mock.stop());

/** A call, and what its message names. */
const BAD = [
  ["autolog(null)", /the options are ignored: expected an object, got null/],
  ['autolog("http://127.0.0.1:5000")', /write autolog\(\{ trackingUri: … \}\)/],
  ["autolog({ experiment: 5 })", /the option experiment is ignored: expected a string, got 5 \(a number\)/],
  ['autolog({ experimentId: "main" })', /the option experimentId is ignored: .*got "main"/],
  ["autolog({ trackingUri: 5000 })", /the option trackingUri is ignored: .*such as http:\/\/127\.0\.0\.1:5000/],
  ["autolog({ trackingURI: 'x' })", /the option trackingURI is not known: write trackingUri/],
  ["autolog({ headers: { 'bad name': 'v' } })", /the header "bad name" is ignored/],
  ["autolog({ headers: { 'x-a': 'v\\n' } })", /the header "x-a" is ignored/],
  ["autolog({ headers: 'x' })", /the option headers is ignored/],
  ["autolog({ filter: 'x' })", /the option filter is ignored: expected a function/],
  ["autolog({ batch: 'yes' })", /the option batch is ignored: expected true or false, got "yes"/],
  ["autolog({ maxQueueBytes: NaN })", /the option maxQueueBytes is ignored: .*got NaN/],
  ["autolog({ attachmentMaxBytes: 1.5 })", /the option attachmentMaxBytes is ignored: .*got 1\.5/],
  ["autolog({ maxQueueSpans: -1 })", /the option maxQueueSpans is ignored: .*got -1/],
  ["autolog({ flushTimeoutMillis: '1s' })", /the option flushTimeoutMillis is ignored/],
  ["autolog({ flushOnSignals: ['SIGKILL'] })", /the option flushOnSignals is ignored/],
  ["autolog({ get experiment() { throw new Error('no'); } })", /the option experiment is ignored: reading it threw/],
  ["autolog(); setExperiment(undefined)", /setExperiment\(\) is ignored: expected a name/],
  ["autolog(); setExperiment({})", /setExperiment\(\) is ignored: expected a name/],
  ["autolog(); setTrackingUri(5)", /the option trackingUri is ignored/],
  ["autolog(); attach(undefined)", /attach\(\) is ignored/],
  ["autolog(); logFeedback({ traceId: 'x' })", /logFeedback\(\) is ignored: traceId/],
];

/** Calls that are unambiguous, though unusual. */
const ODD = [
  "autolog({ trackingUri: new URL(process.env.MLFLOW_TRACKING_URI) })",
  "autolog({ trackingUri: process.env.MLFLOW_TRACKING_URI.replace('//', '//us%zzer:p%ss@') })",
  "autolog({ experimentId: 1 })",
  "autolog({ headers: { 'x-a': undefined, 'x-b': 5 } })",
  "autolog({ experiment: undefined, maxQueueBytes: undefined })",
];

describe("a bad option", { concurrency: 2 }, () => {
  for (const [call, message] of BAD) {
    test(`${call} is named, and costs no span`, async () => {
      const { spans, stderr, code } = await app(mock, `${call}; autolog(); span("a");`);
      assert.deepEqual([names(spans), code], [["a"], 0], stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    });
  }

  for (const call of ODD) {
    test(`${call} is understood`, async () => {
      const { spans, stderr } = await app(mock, `${call}; span("a");`);
      assert.deepEqual([names(spans), stderr], [["a"], ""]);
    });
  }
});

describe("a tracking URI", { concurrency: 2 }, () => {
  test("without a scheme is taken as http, and the message says what to write", async () => {
    const { spans, stderr } = await app(
      mock,
      `autolog({ trackingUri: process.env.MLFLOW_TRACKING_URI.replace("http://", "") }); span("a");`,
    );
    assert.deepEqual(names(spans), ["a"]);
    assert.match(stderr, /the tracking URI "127\.0\.0\.1:\d+\/.*" has no scheme: .*write "http:\/\/127\.0\.0\.1/);
  });

  test("localhost:5000 is taken as the server of that port, and the message says what to write", async () => {
    const { printed, stderr } = await app(
      mock,
      // Whatever listens there gets nothing.
      `const asked = [];
       globalThis.fetch = async (url) => { asked.push(new URL(url).origin); throw new Error("nobody is there"); };
       autolog({ worker: false }); span("a"); await flush({ timeoutMillis: 1 }); print([...new Set(asked)]);`,
      { env: { MLFLOW_TRACKING_URI: "localhost:5000" } },
    );
    assert.deepEqual(printed, [["http://localhost:5000"]], stderr);
    const message =
      'the tracking URI "localhost:5000" has no scheme: http:// is assumed; write "http://localhost:5000"';
    assert.equal(stderr.split("\n")[0], `openinference-mlflow: ${message}`);
  });

  for (const [uri, message] of [
    ["./mlruns", /"\.\/mlruns" is a folder, .*mlflow server --backend-store-uri \.\/mlruns/],
    ["sqlite:///mlflow.db", /"sqlite:\/\/\/mlflow\.db" is a folder, a database/],
    ["databricks-uc://profile", /"databricks-uc:\/\/profile" is a folder, a database or a scheme/],
    ["postgresql://me:hunter2@db/mlflow", /"postgresql:\/\/db\/mlflow" is a folder, a database/],
  ]) {
    test(`${uri} that names no server is reported with what to write`, async () => {
      const env = { MLFLOW_TRACKING_URI: uri };
      const { code, stderr } = await app(mock, `autolog(); span("a"); await flush();`, { env });
      assert.equal(code, 0);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter2/);
    });
  }
});

describe("a destination that cannot be meant", { concurrency: 2 }, () => {
  test("an experiment id that is no number is named, with what to write, and costs no span", async () => {
    const env = { MLFLOW_EXPERIMENT_ID: "my-agent" };
    const { spans, stderr } = await app(mock, `autolog(); span("a");`, { env });
    assert.deepEqual(
      spans.map(({ name, experimentId }) => [name, experimentId]),
      [["a", "0"]],
    );
    assert.match(
      stderr,
      /MLFLOW_EXPERIMENT_ID="my-agent" is ignored.*default experiment.*write MLFLOW_EXPERIMENT_NAME/,
    );
  });

  test("an unknown run is named, and costs no span", async () => {
    const { spans, requests, stderr } = await app(
      mock,
      `autolog({ runId: "no-such-run" }); span("a"); await flush(); span("b"); await flush();`,
    );
    assert.deepEqual(names(spans), ["a", "b"]);
    assert.equal(requests.filter(({ path }) => path.endsWith("/runs/get")).length, 1);
    assert.match(stderr, /^openinference-mlflow: run no-such-run does not exist on the MLflow server: .*\n$/);
  });

  test("an experiment that is deleted while the application runs is noticed a minute later, with the way back", async () => {
    const { printed, spans, stderr } = await app(
      mock,
      // The package's clock: a minute passes at once.
      `const now = performance.now.bind(performance);
       let later = 0;
       performance.now = () => now() + later;
       autolog({ worker: false, experiment: "e" }); span("a"); await flush();
       await fetch(process.env.MLFLOW_TRACKING_URI + "/delete-experiments");
       later = 61_000;
       span("b"); await flush(); print(stats());`,
    );
    assert.deepEqual(names(spans), ["a"]);
    assert.deepEqual([printed[0].delivered, printed[0].quarantined], [1, 1]);
    assert.match(stderr, /experiment "?e"? is deleted: restore it \(`mlflow experiments restore --experiment-id 1`\)/);
    assert.doesNotMatch(stderr, /replay|quarantine|set aside/);
  });

  test("a span that MLflow rejects is said to be lost, with the reason and no word of a quarantine", async () => {
    const { printed, stderr } = await app(
      mock,
      `autolog({ headers: { "x-behaviour": "rejects" } }); span("a"); await flush(); print(stats().quarantined);`,
    );
    assert.deepEqual(printed, [1], stderr);
    assert.match(stderr, /rejects a span of trace [0-9a-f]{32}, which is lost: .*not this one/);
    assert.doesNotMatch(stderr, /replay|quarantine|set aside/);
  });
});

describe("tracing that is turned off", { concurrency: 2 }, () => {
  for (const env of [{ OTEL_SDK_DISABLED: "true" }, { OPENINFERENCE_MLFLOW_DISABLED: "true" }]) {
    test(`by ${Object.keys(env)} touches nothing, sends nothing and prints nothing`, async () => {
      const { requests, printed, stderr } = await app(
        mock,
        `autolog(); const s = tracer.startSpan("a"); print(s.isRecording()); s.end();
         logFeedback({ traceId: "1".repeat(32), name: "x", value: 1 }); await flush(); print(stats().received);`,
        { env },
      );
      assert.deepEqual([requests, printed, stderr], [[], [false, 0], ""]);
    });
  }
});

describe("OTEL_TRACES_SAMPLER without a provider", { concurrency: 2 }, () => {
  const source = `autolog();
    for (let i = 0; i < 200; i++) tracer.startActiveSpan("root", (root) => { tracer.startSpan("child").end(); root.end(); });
    await flush(); print(stats().delivered);`;

  test("always_off keeps nothing", async () => {
    const { printed } = await app(mock, source, { env: { OTEL_TRACES_SAMPLER: "always_off" } });
    assert.deepEqual(printed, [0]);
  });

  test("parentbased_traceidratio keeps part of the traces, each of them whole", async () => {
    const env = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.5" };
    const { spans } = await app(mock, source, { env });
    const byTrace = new Map();
    for (const { traceId } of spans) byTrace.set(traceId, (byTrace.get(traceId) ?? 0) + 1);
    assert.deepEqual(new Set(byTrace.values()), new Set([2]));
    // Outside of this range once in more than 10^12 runs.
    assert.ok(byTrace.size > 50 && byTrace.size < 150, String(byTrace.size));
  });

  test("an unknown name is reported, and everything is kept", async () => {
    const { printed, stderr } = await app(mock, source, { env: { OTEL_TRACES_SAMPLER: "sometimes" } });
    assert.deepEqual(printed, [400]);
    assert.match(stderr, /OTEL_TRACES_SAMPLER "sometimes" is not known/);
  });
});
