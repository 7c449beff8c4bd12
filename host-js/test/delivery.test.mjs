/** What happens when the server does not cooperate, and when there is more than it can take. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

/** Applications whose server misbehaves ask for it by the name of their experiment. */
let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  const counts = new Map();
  const count = (key) => counts.set(key, (counts.get(key) ?? 0) + 1).get(key);
  mock.behaviour.answer = ({ path, headers }, _application, name) => {
    const behaviour = headers["x-behaviour"];
    const isTraces = path === "/v1/traces";
    if (behaviour === "down twice" && isTraces && count(name) <= 2) return { drop: true };
    if (behaviour === "busy once" && isTraces && count(name) === 1)
      return { status: 503, headers: { "retry-after": "0" } };
    if (behaviour === "slow" && isTraces) return { delay: 300 };
    if (behaviour === "holds infos") {
      if (path === "/api/3.0/mlflow/traces") count(`${name} held`);
      return path === "/api/3.0/mlflow/traces" ? { hold: true } : undefined;
    }
    if (path === "/held") return { status: 200, body: String(counts.get(`${name} held`) ?? 0) };
    if (behaviour === "down") return { drop: true };
    if (behaviour === "unauthorized" && headers.authorization !== "Basic dXNlcjpww6Rzcw==") return { status: 401 };
    if (behaviour === "bearer" && headers.authorization !== "Bearer abc") return { status: 401 };
    return undefined;
  };
});
after(() => mock.stop());

const behaves = (behaviour) => `headers: { "x-behaviour": "${behaviour}" }`;

describe("delivery", { concurrency: 2 }, () => {
  for (const behaviour of ["down twice", "busy once", "slow"]) {
    test(`a server that is ${behaviour} has every span in the end, once`, async () => {
      const { spans } = await app(
        mock,
        `autolog({ ${behaves(behaviour)} }); for (let i = 0; i < 100; i++) span("s" + i); await flush();`,
      );
      assert.equal(new Set(names(spans)).size, 100);
      assert.equal(spans.length, 100);
    });
  }

  test("a server that is down: one warning, no exception, the process ends, and says what it could not send", async () => {
    const { code, stderr, name } = await app(
      mock,
      `autolog({ ${behaves("down")} });
       for (let i = 0; i < 50; i++) { span("s" + i); await sleep(1); }`,
    );
    assert.equal(code, 0);
    const [first, last, ...more] = stderr.trim().split("\n");
    assert.match(first, /no answer from the MLflow server/);
    assert.ok(
      last.includes(`the process ended before 50 spans were sent: the MLflow server at ${mock.uri(name)} `),
      last,
    );
    assert.deepEqual(more, []);
  });

  test("credentials come from the options, the environment, or the tracking URI, and show in no message", async () => {
    const source = (options) =>
      `autolog({ ${options} }); span("a"); await flush({ timeoutMillis: 3000 }); print(stats().delivered);`;
    const unauthorized = behaves("unauthorized");
    const byOptions = await app(mock, source(`${unauthorized}, username: "user", password: "päss"`));
    const env = { MLFLOW_TRACKING_USERNAME: "user", MLFLOW_TRACKING_PASSWORD: "päss", MLFLOW_TRACKING_TOKEN: "abc" };
    const byEnvironment = await app(mock, source(unauthorized), { env });
    const withUser = "process.env.MLFLOW_TRACKING_URI.replace('//', '//user:p%C3%A4ss@')";
    const byUri = await app(mock, source(`${unauthorized}, trackingUri: ${withUser}`));
    const byToken = await app(mock, source(behaves("bearer")), { env: { MLFLOW_TRACKING_TOKEN: "abc" } });
    for (const { printed, stderr } of [byOptions, byEnvironment, byUri, byToken]) {
      assert.deepEqual([printed, stderr], [[1], ""]);
    }
    const wrong = await app(mock, source(`${unauthorized}, username: "user", password: "hunter2"`));
    assert.deepEqual(wrong.printed, [0]);
    assert.match(wrong.stderr, /credentials|401|authori/i);
    assert.doesNotMatch(wrong.stderr, /hunter2|aHVudGVy/);
  });

  test("50,000 spans in one tick all arrive", async () => {
    const { spans, printed } = await app(
      mock,
      `autolog();
       for (let i = 0; i < 50_000; i++) span("s" + i, { "input.value": "text " + i });
       await flush();
       print(stats());`,
      { limitMillis: 240_000 },
    );
    assert.deepEqual(printed, [
      { received: 50_000, delivered: 50_000, dropped: 0, filtered: 0, quarantined: 0, pending: 0 },
    ]);
    assert.equal(new Set(spans.map(({ name }) => name)).size, 50_000);
  });

  test("what is over the limit is dropped, counted, and reported once", async () => {
    const { spans, printed, stderr } = await app(
      mock,
      `autolog(); for (let i = 0; i < 1000; i++) span("s" + i); await flush(); print(stats());`,
      { env: { OTEL_BSP_MAX_QUEUE_SIZE: "100" } },
    );
    assert.deepEqual(printed, [
      { received: 1000, delivered: 100, dropped: 900, filtered: 0, quarantined: 0, pending: 0 },
    ]);
    assert.equal(spans.length, 100);
    assert.equal(stderr.trim().split("\n").length, 1);
    assert.match(stderr, /spans are dropped: the queue is full/);
  });

  test("a picture arrives as it is, before the span that refers to it, unless the application does not want that", async () => {
    const picture = Buffer.from("89504e470d0a1a0a".repeat(1_000), "hex");
    const source = (options) =>
      `autolog(${options});
       span("see", { "input.value": "data:image/png;base64,${picture.toString("base64")}" });
       await flush();`;
    const attached = await app(mock, source("{}"));
    const paths = attached.requests.map(({ method, path }) => `${method} ${path}`);
    const place = paths.findIndex((each) => each.startsWith("PUT /api/2.0/mlflow-artifacts/artifacts/"));
    assert.ok(place >= 0 && place < paths.indexOf("POST /v1/traces"), paths.join("\n"));
    assert.deepEqual(attached.requests[place].body, picture);
    const reference = `mlflow-attachment://${paths[place].split("/").at(-1)}?content_type=image%2Fpng&`;
    assert.ok(attached.spans[0].attributes["input.value"].startsWith(reference));

    const env = { MLFLOW_TRACE_EXTRACT_ATTACHMENTS: "false" };
    for (const inline of [await app(mock, source("{ attachments: false }")), await app(mock, source("{}"), { env })]) {
      assert.ok(inline.spans[0].attributes["input.value"].startsWith("data:image/png;base64,"));
    }
  });

  test("its own requests are not traced, though fetch is instrumented", async () => {
    const { spans, printed } = await app(
      mock,
      `const real = globalThis.fetch;
       let requests = 0;
       globalThis.fetch = (...args) => {
         requests++;
         return tracer.startActiveSpan("fetch", (s) => real(...args).finally(() => s.end()));
       };
       autolog({ worker: false }); span("a"); await flush(); await flush();
       print(requests > 0);`,
    );
    assert.deepEqual([names(spans), printed], [["a"], [true]]);
  });

  for (const [what, option, end] of [
    ["neither a flush nor the end of the process waits", "", ""],
    // There an open request keeps the process alive until it times out.
    ["without a thread no flush waits", ", worker: false", "process.exit(0);"],
  ]) {
    test(`${what} for optional requests`, async () => {
      const { code, signal, printed, spans, requests, stderr } = await app(
        mock,
        `autolog({ ${behaves("holds infos")}${option}, flushTimeoutMillis: 600_000 });
         const model = { "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user",
           "llm.input_messages.0.message.content": "why? ".repeat(50), "llm.output_messages.0.message.role": "assistant",
           "llm.output_messages.0.message.content": "because ".repeat(50) };
         const makeTraces = (count) => {
           for (let i = 0; i < count; i++) tracer.startActiveSpan("root", { attributes: { "openinference.span.kind": "CHAIN", "input.value": "q".repeat(200) } }, (root) => {
             tracer.startSpan("model", { attributes: model }).end(); root.end();
           });
         };
         makeTraces(200); await flush();
         const held = async () => Number(await (await fetch(process.env.MLFLOW_TRACKING_URI + "/held")).text());
         while ((await held()) === 0) await sleep(20);
         makeTraces(200); await flush();
         print(stats()); ${end}`,
      );
      // Long before the patience of the flush is over: a flush that waited would end with the test's limit, by a signal.
      assert.deepEqual([code, signal], [0, null], stderr);
      assert.deepEqual([printed[0].delivered, printed[0].pending], [800, 0]);
      assert.equal(spans.length, 800);
      // What holds nothing up is bounded, too.
      const optional = requests.filter(({ path }) => path === "/api/3.0/mlflow/traces").length;
      assert.ok(optional >= 1 && optional <= 8, String(optional));
    });
  }

  test("flush returns while the application goes on making spans", async () => {
    const { code, printed } = await app(
      mock,
      `autolog();
       const more = setInterval(() => span("more"), 1);
       span("first"); await flush();
       clearInterval(more);
       print(stats().delivered > 0);`,
    );
    assert.deepEqual([code, printed], [0, [true]]);
  });
});
