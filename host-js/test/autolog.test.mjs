/** What `autolog()` and its companions promise, each shown by an application. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

describe("autolog", { concurrency: 2 }, () => {
  test("one line sends the spans of a process that has no provider, nested as the application nested them", async () => {
    const { spans, stderr } = await app(
      mock,
      `autolog();
       tracer.startActiveSpan("agent", async (agent) => {
         await sleep(5);
         tracer.startActiveSpan("model", (model) => model.end());
         agent.end();
       });`,
    );
    const [agent, model] = ["agent", "model"].map((name) => spans.find((span) => span.name === name));
    assert.equal(spans.length, 2);
    assert.equal(model.parentSpanId, agent.spanId);
    assert.equal(model.traceId, agent.traceId);
    assert.equal(agent.scope.name, "app");
    assert.equal(stderr, "");
  });

  test("a copy of the API in a bundle is named once, although a framework looks for tracers all the time", async () => {
    const { stderr } = await app(
      mock,
      `import { runInThisContext } from "node:vm";
       const lookup = '({ getTracerProvider: () => globalThis[Symbol.for("opentelemetry.js.api.1")]?.trace })';
       const copyIn = (filename) => runInThisContext(lookup, { filename });
       const [framework, route] = ["/app/node_modules/next/dist/server.js", "/app/route.js"].map(copyIn);
       autolog();
       for (let request = 0; request < 3; request++) {
         for (let lookups = 0; lookups < 10; lookups++) framework.getTracerProvider();
         route.getTracerProvider();
       }`,
    );
    assert.deepEqual(stderr.match(/spans from .* do not reach MLflow/g), [
      "spans from /app/route.js do not reach MLflow",
    ]);
  });

  test("called twice it is one: each span arrives once", async () => {
    const { spans } = await app(
      mock,
      `autolog(); autolog(); new NodeTracerProvider().register(); autolog(); span("a");`,
    );
    assert.deepEqual(names(spans), ["a"]);
  });

  test("ESM and CommonJS in one process are one autolog", async () => {
    const { spans, printed } = await app(
      mock,
      `import { createRequire } from "node:module";
       const commonjs = createRequire(import.meta.url)("openinference-mlflow");
       autolog(); commonjs.autolog({ experiment: "shared" });
       span("a");
       await commonjs.flush();
       print(stats().delivered);`,
    );
    assert.deepEqual(names(spans), ["a"]);
    assert.deepEqual(printed, [1]);
  });

  test("disable stops at once, and a later call resumes", async () => {
    const { spans } = await app(
      mock,
      `new NodeTracerProvider().register();
       autolog(); span("before");
       autolog({ disable: true }); span("while disabled");
       autolog(); span("after");`,
    );
    assert.deepEqual(names(spans), ["after", "before"]);
  });

  test("logTraces: false collects nothing", async () => {
    const { spans, requests } = await app(mock, `autolog({ logTraces: false }); span("a");`);
    assert.deepEqual([spans, requests], [[], []]);
  });

  test("with batch: false a trace is there without a flush, though the process ends with process.exit", async () => {
    const { spans } = await app(
      mock,
      `autolog({ batch: false });
       span("a");
       for (let waited = 0; stats().delivered < 1 && waited < 10_000; waited += 5) await sleep(5);
       process.exit();`,
    );
    assert.deepEqual(names(spans), ["a"]);
  });

  test("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING=false means batch: false, and anything else is complained about", async () => {
    const source = `autolog();
       tracer.startActiveSpan("a", (a) => a.end());
       const began = Date.now();
       while (stats().delivered < 1 && Date.now() - began < 10_000) await sleep(5);
       print(stats().delivered);
       process.exit();`;
    const off = await app(mock, source, { env: { MLFLOW_ENABLE_ASYNC_TRACE_LOGGING: "False" } });
    assert.deepEqual(off.printed, [1]);
    assert.equal(off.stderr, "");
    const odd = await app(mock, `autolog(); span("a");`, { env: { MLFLOW_ENABLE_ASYNC_TRACE_LOGGING: "nope" } });
    assert.match(odd.stderr, /MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="nope" is ignored: expected true, false, 1 or 0/);
    assert.deepEqual(names(odd.spans), ["a"]);
  });

  test("the environment is read at autolog(), not at import", async () => {
    const { spans } = await app(mock, `process.env.MLFLOW_EXPERIMENT_ID = "42"; autolog(); span("a");`);
    assert.equal(spans[0].experimentId, "42");
  });

  test("experiments by name are created, and setExperiment works before and after autolog", async () => {
    const { spans, requests } = await app(
      mock,
      `setExperiment("first"); autolog(); span("a");
       setExperiment("second"); span("b");
       setExperiment({ id: "77" }); span("c");`,
    );
    const experiments = Object.fromEntries(spans.map((span) => [span.name, span.experimentId]));
    const created = requests.filter(({ path }) => path.endsWith("/create")).map(({ body }) => JSON.parse(body).name);
    assert.deepEqual(created.sort(), ["first", "second"]);
    assert.notEqual(experiments.a, experiments.b);
    assert.equal(experiments.c, "77");
  });

  test("setTrackingUri after autolog: what has ended goes to the server before, the rest to the one after", async () => {
    const { spans, name } = await app(
      mock,
      `autolog(); span("a");
       setTrackingUri(process.env.MLFLOW_TRACKING_URI + "-other"); span("b");`,
    );
    assert.deepEqual(names(spans), ["a"]);
    assert.deepEqual(names(mock.spans(`${name}-other`)), ["b"]);
  });

  test("filter keeps spans out, and one that throws keeps them in", async () => {
    const { spans, stderr } = await app(
      mock,
      `autolog({ filter: (span) => { if (span.name === "odd") throw new Error("no"); return span.name !== "health"; } });
       span("health"); span("chat"); span("odd");`,
    );
    assert.deepEqual(names(spans), ["chat", "odd"]);
    assert.match(stderr, /the filter threw an exception/);
  });

  test("mask replaces values of spans, events and status; a span whose mask throws is never sent", async () => {
    const { spans, requests, printed } = await app(
      mock,
      `autolog({ mask: (value, key) => {
         if (value === "boom") throw new Error("mask");
         return key === "drop" ? undefined : typeof value === "string" ? value.replaceAll("secret", "***") : value;
       } });
       const a = tracer.startSpan("a", { attributes: { "input.value": "my secret", drop: "x", n: 1 } });
       a.addEvent("e", { text: "secret" });
       a.setStatus({ code: SpanStatusCode.ERROR, message: "secret failed" });
       a.end();
       span("b", { text: "boom secret", bad: "boom" });
       await flush();
       print(stats());`,
    );
    const [a] = spans;
    assert.deepEqual(names(spans), ["a"]);
    assert.equal(a.attributes["input.value"], "my ***");
    assert.equal("drop" in a.attributes, false);
    assert.equal(a.attributes.n, 1n);
    assert.equal(a.events[0].attributes.text, "***");
    assert.equal(a.status.message, "*** failed");
    assert.equal(printed[0].dropped, 1);
    assert.equal(
      requests.some(({ body }) => body.includes("secret")),
      false,
    );
  });

  test("OPENINFERENCE_HIDE settings hold for spans that nobody masked, before the mask sees them", async () => {
    const { spans, printed } = await app(
      mock,
      `const seen = [];
       autolog({ mask: (value, key) => { seen.push(key); return value; } });
       span("chat", {
         "openinference.span.kind": "LLM",
         "input.value": "secret", "input.mime_type": "text/plain", "output.value": "public",
         "llm.input_messages.0.message.content": "secret", "llm.output_messages.0.message.content": "public",
         "llm.tools.0.tool.json_schema": "secret",
       });
       print(seen.filter((key) => key.includes("input") || key.includes("tools")));`,
      { env: { OPENINFERENCE_HIDE_INPUTS: "true", OPENINFERENCE_HIDE_OUTPUT_TEXT: "1" } },
    );
    const { attributes } = spans[0];
    assert.deepEqual(printed, [[]]);
    assert.equal(attributes["input.value"], "__REDACTED__");
    assert.equal(attributes["output.value"], "public");
    assert.equal(attributes["llm.output_messages.0.message.content"], "__REDACTED__");
    assert.doesNotMatch(JSON.stringify(Object.entries(attributes).map(String)), /secret|json_schema|input_messages/);
  });

  test("spans of MLflow's own SDK and spans that were not sampled are left alone", async () => {
    const { spans } = await app(
      mock,
      `import { TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-node";
       autolog();
       span("mlflow's", { "mlflow.traceRequestId": "tr-1" });
       const unsampled = new NodeTracerProvider({ sampler: new TraceIdRatioBasedSampler(0) });
       attach(unsampled);
       unsampled.getTracer("x").startSpan("unsampled").end();
       span("ours");`,
    );
    assert.deepEqual(names(spans), ["ours"]);
  });

  test("a provider that is never global is served by attach, or by its own MlflowSpanProcessor, once", async () => {
    const { spans } = await app(
      mock,
      `const attached = new NodeTracerProvider();
       attach(attached); attach(attached);
       attached.getTracer("x").startSpan("attached").end();
       const own = new NodeTracerProvider({ spanProcessors: [new MlflowSpanProcessor({ experimentId: "5" })] });
       attach(own);
       own.getTracer("x").startSpan("own").end();
       span("nobody's");`,
    );
    assert.deepEqual(spans.map(({ name, experimentId }) => [name, experimentId]).sort(), [
      ["attached", "0"],
      ["own", "5"],
    ]);
  });

  test("adoptOrphans gives orphaned spans to the user's provider, too", async () => {
    const source = (options) => `
       class Seen { names = []; onStart() {} onEnd(span) { this.names.push(span.name); } async forceFlush() {} async shutdown() {} }
       autolog(${options});
       trace.disable();
       const seen = new Seen();
       new NodeTracerProvider({ spanProcessors: [seen] }).register();
       span("orphan");
       await flush();
       print(seen.names);`;
    const without = await app(mock, source("{}"));
    assert.deepEqual([names(without.spans), without.printed], [["orphan"], [[]]]);
    const adopted = await app(mock, source("{ adoptOrphans: true }"));
    assert.deepEqual([names(adopted.spans), adopted.printed], [["orphan"], [["orphan"]]]);
  });

  test("a user's span below one of ours keeps its root for the user, and its parent for MLflow", async () => {
    const { spans, printed } = await app(
      mock,
      `class Seen { spans = []; onStart() {} onEnd(span) { this.spans.push([span.name, !!span.parentSpanContext]); } async forceFlush() {} async shutdown() {} }
       const seen = new Seen();
       autolog();
       await tracer.startActiveSpan("outer", async (outer) => {
         new NodeTracerProvider({ spanProcessors: [seen] }).register();
         const ctx = trace.setSpan(context.active(), outer);
         const inner = trace.getTracer("users").startSpan("inner", {}, ctx);
         trace.getTracer("users").startSpan("innermost", {}, trace.setSpan(ctx, inner)).end();
         inner.end();
         outer.end();
       });
       await flush();
       print(seen.spans);`,
    );
    assert.deepEqual(printed, [
      [
        ["innermost", true],
        ["inner", false],
      ],
    ]);
    const [outer, inner, innermost] = ["outer", "inner", "innermost"].map((name) =>
      spans.find((span) => span.name === name),
    );
    assert.equal(inner.parentSpanId, outer.spanId);
    assert.equal(innermost.parentSpanId, inner.spanId);
    assert.deepEqual([inner.traceId, innermost.traceId], [outer.traceId, outer.traceId]);
  });

  test("attributes that the SDK dropped at its limit are reported once", async () => {
    const { stderr } = await app(
      mock,
      `new NodeTracerProvider({ spanLimits: { attributeCountLimit: 2 } }).register();
       autolog();
       for (let i = 0; i < 3; i++) span("a", { a: 1, b: 2, c: 3 });`,
    );
    assert.equal(stderr.match(/has dropped 1 attributes of a span/g).length, 1);
  });

  test("a tracking URI that is no server's is said once, and nothing is collected; silent mutes that", async () => {
    const source = (options) => `autolog(${options}); autolog(); span("a"); await flush(); print(stats().received);`;
    const env = { MLFLOW_TRACKING_URI: "sqlite:///mlflow.db" };
    const loud = await app(mock, source("{}"), { env });
    assert.match(loud.stderr, /^openinference-mlflow: no traces are collected: .*`mlflow server .*`.*\n$/);
    assert.deepEqual(loud.printed, [0]);
    const silent = await app(mock, source("{ silent: true }"), { env });
    assert.equal(silent.stderr, "");
  });
});

describe("openinference-mlflow/register", () => {
  const source = `span("a");`;
  const prelude = `
    import { trace } from "@opentelemetry/api";
    const span = (name) => trace.getTracer("app").startSpan(name).end();`;

  test("--import and --require each do what autolog() does", async () => {
    for (const fixture of ["sdk-2.12", "sdk-3"]) {
      for (const flag of ["--import", "--require"]) {
        const args = [flag, "openinference-mlflow/register"];
        const { spans, stderr } = await app(mock, source, { prelude, args, fixture });
        assert.deepEqual([names(spans), stderr], [["a"], ""], `${fixture} ${flag}`);
      }
    }
  });
});
