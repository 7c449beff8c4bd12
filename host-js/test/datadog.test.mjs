/** dd-trace: a provider that is not an OpenTelemetry SDK, whose tracers point back at it. */

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { setUps } from "./set-ups.mjs";
import { app } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

const PRELUDE = `
  import { createRequire } from "node:module";
  const require = createRequire(import.meta.url);
  const { autolog, flush, stats } = require("openinference-mlflow");
  const { trace } = require("@opentelemetry/api");
  const register = () => {
    const { TracerProvider } = require("dd-trace").init({ startupLogs: false });
    new TracerProvider().register();
  };
  const spans = async () => {
    const tracer = trace.getTracer("app");
    tracer.startActiveSpan("root", { attributes: { "openinference.span.kind": "CHAIN" } }, (root) => {
      tracer.startActiveSpan("child", (child) => { child.setAttribute("input.value", "hello"); child.end(); });
      root.end();
    });
    await flush();
    process.stdout.write(JSON.stringify(stats()));
    // dd-trace keeps trying to reach its agent.
    process.exit();
  };
`;

const [{ name: setUp, folder }] = setUps("datadog.test.mjs");

describe(setUp, () => {
  for (const [order, source] of [
    ["registered before autolog()", "register(); autolog(); await spans();"],
    ["registered after autolog()", "autolog(); register(); await spans();"],
  ]) {
    test(`${order}: MLflow gets its spans, nested`, async () => {
      const { spans, printed, stderr } = await app(mock, source, { prelude: PRELUDE, fixture: basename(folder) });
      assert.equal(printed[0]?.delivered, 2, stderr);
      const [root, child] = ["root", "child"].map((name) => spans.find((span) => span.name === name));
      assert.equal(child.parentSpanId, root.spanId);
      assert.equal(child.traceId, root.traceId);
      assert.equal(child.attributes["input.value"], "hello");
    });
  }
});
