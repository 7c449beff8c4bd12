/** What a span looks like when MLflow gets it: as it was when it ended. */

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

describe("a span's snapshot", { concurrency: 2 }, () => {
  test("holds every kind of value, in its type", async () => {
    const { spans } = await app(
      mock,
      `autolog();
       span("values", {
         text: "grüße 🎉", integer: 3, negative: -7, large: Number.MAX_SAFE_INTEGER, double: 0.5, zero: 0,
         yes: true, no: false, texts: ["a", null, "c"], mixed: [1, 0.5], infinite: Infinity, huge: 1e300,
         map: { deep: [{ deeper: 1 }] }, bytes: new Uint8Array([1, 2]), big: 12345678901234567890n, small: 5n,
       });`,
    );
    const theirs = Object.entries(spans[0].attributes).filter(([key]) => !key.startsWith("mlflow."));
    const { texts, infinite, ...values } = Object.fromEntries(theirs);
    assert.deepEqual(values, {
      text: "grüße 🎉",
      integer: 3n,
      negative: -7n,
      large: BigInt(Number.MAX_SAFE_INTEGER),
      double: 0.5,
      zero: 0n,
      yes: true,
      no: false,
      mixed: [1n, 0.5],
      huge: 1e300,
      map: { deep: [{ deeper: 1n }] },
      bytes: Buffer.from([1, 2]),
      big: "12345678901234567890",
      small: 5n,
    });
    assert.equal(texts.length, 3);
    assert.ok(infinite !== undefined, "the core repairs what MLflow cannot store; it does not lose it");
  });

  test("holds kind, times, status, events, exceptions and links", async () => {
    const { spans } = await app(
      mock,
      `autolog();
       const linked = tracer.startSpan("linked"); linked.end();
       const a = tracer.startSpan("a", { kind: 2, startTime: [1700000000, 5], links: [{ context: linked.spanContext(), attributes: { why: "because" } }] });
       a.addEvent("step", { n: 1 }, [1700000001, 0]);
       a.recordException(new TypeError("wrong"));
       a.setStatus({ code: SpanStatusCode.ERROR, message: "failed" });
       a.end([1700000002, 7]);`,
    );
    const [a, linked] = ["a", "linked"].map((name) => spans.find((span) => span.name === name));
    assert.equal(a.kind, 3, "CLIENT is 2 in the API and 3 in OTLP");
    assert.equal(a.startTimeUnixNano, "1700000000000000005");
    assert.equal(a.endTimeUnixNano, "1700000002000000007");
    assert.deepEqual([a.status.code, a.status.message], [2, "failed"]);
    const [step, exception] = a.events;
    assert.deepEqual([step.name, step.attributes, step.timeUnixNano], ["step", { n: 1n }, "1700000001000000000"]);
    assert.equal(exception.attributes["exception.type"], "TypeError");
    assert.match(exception.attributes["exception.stacktrace"], /TypeError: wrong/);
    assert.deepEqual([a.links[0].traceId, a.links[0].spanId], [linked.traceId, linked.spanId]);
  });

  test("does not change when the application changes the span's objects afterwards", async () => {
    const { spans } = await app(
      mock,
      `new NodeTracerProvider().register();
       autolog();
       const a = tracer.startSpan("a");
       const list = ["kept"];
       a.setAttribute("list", list);
       a.end();
       list[0] = "changed"; a.attributes.list[0] = "changed"; a.attributes.more = 1; a.name = "changed";`,
    );
    assert.equal(spans[0].name, "a");
    assert.deepEqual(spans[0].attributes.list, ["kept"]);
    assert.equal("more" in spans[0].attributes, false);
  });

  test("waits for the attributes that resource detectors are still finding", async () => {
    const { spans } = await app(
      mock,
      `import { resourceFromAttributes } from "@opentelemetry/resources";
       const slow = new Promise((resolve) => setTimeout(resolve, 150, "found"));
       new NodeTracerProvider({ resource: resourceFromAttributes({ "service.name": "shop", host: slow }) }).register();
       autolog();
       span("a"); await flush(); span("b");`,
    );
    assert.deepEqual(
      spans.map(({ name, resource }) => [name, resource["service.name"], resource.host]),
      [
        ["a", "shop", "found"],
        ["b", "shop", "found"],
      ],
    );
  });

  test("survives lone surrogates, cycles and deep nesting, without harm to its neighbours", async () => {
    const { spans, stderr } = await app(
      mock,
      `autolog();
       const cycle = { name: "cycle" }; cycle.self = cycle;
       let deep = {}; for (let i = 0; i < 1000; i++) deep = { deep };
       span("odd", { surrogate: "a\\ud800b", cycle, deep });
       const throwing = { get attributes() { throw new Error("getter"); }, spanContext: () => ({ traceFlags: 1 }) };
       const own = new MlflowSpanProcessor(); own.onEnd(throwing); own.onEnd({}); own.onStart(undefined, undefined);
       span("next");`,
    );
    assert.deepEqual(names(spans), ["next", "odd"], stderr);
    assert.equal(spans.find(({ name }) => name === "odd").attributes.surrogate, "a\ufffdb");
  });

  test("of five megabytes arrives whole", async () => {
    const { spans } = await app(mock, `autolog(); span("large", { "input.value": "x".repeat(5 * 1024 * 1024) });`);
    assert.equal(spans[0].attributes["input.value"].length, 5 * 1024 * 1024);
  });
});
