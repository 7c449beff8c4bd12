/** The examples of the package's page and README do what the text around them says. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fixturePath } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { codeBlocks, examples, replaced } from "./support/docs.mjs";
import { install } from "./support/install.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

/** The fixture has what the examples import. */
const fixture = "phoenix-otel";

let mock;
before(async () => {
  install(fixturePath(fixture));
  mock = await startMlflowMock();
});
after(() => mock.stop());

const URI = '"http://127.0.0.1:5000"';
const SPAN = `
  import { trace as traceApi } from "@opentelemetry/api";
  const span = (name, attributes) => traceApi.getTracer("app").startSpan(name, { attributes }).end();`;

/** Runs an example against the mock. */
function example(source, options) {
  const here = source.replaceAll(URI, "process.env.MLFLOW_TRACKING_URI");
  return app(mock, here, { prelude: "", fixture, ...options });
}

test("Node: one line sends spans to the experiment that it names", async () => {
  const [code] = examples("Node");
  const { spans, requests, stderr } = await example(`${code} ${SPAN} span("a");`);
  assert.deepEqual([names(spans), stderr], [["a"], ""]);
  const created = requests.find(({ path }) => path.endsWith("/experiments/create"));
  assert.equal(JSON.parse(created.body).name, "my-agent");
});

test("Providers that are never global: both ways", async () => {
  const [code] = examples("Providers that are never global");
  const [attached, own] = code.split("// or\n");
  const imports = `
    import { register } from "@arizeai/phoenix-otel";
    import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
    import { attach, MlflowSpanProcessor } from "openinference-mlflow";`;
  for (const source of [attached, replaced(own, "new NodeTracerProvider", "const provider = new NodeTracerProvider")]) {
    const { spans, stderr } = await example(`${imports} ${source} provider.getTracer("x").startSpan("a").end();`);
    assert.deepEqual(names(spans), ["a"], stderr);
  }
});

test("Phoenix and MLflow together: MLflow gets the span", async () => {
  const [code] = examples("Phoenix and MLflow together");
  const env = { PHOENIX_COLLECTOR_ENDPOINT: "http://127.0.0.1:9" };
  const { spans } = await example(`${code} ${SPAN} span("a");`, { env });
  assert.deepEqual(names(spans), ["a"]);
});

test("Where is my trace? Its id and its address", async () => {
  const [code] = examples("Where is my trace?");
  const lines = replaced(code, "console.log(", "process.stdout.write(JSON.stringify([");
  const { spans, printed } = await example(
    `import { autolog, flush, getLastTraceId, getTraceUrl } from "openinference-mlflow"; ${SPAN}
     autolog(); span("a"); ${lines.replace("());", "()]));")}`,
  );
  const id = `tr-${spans[0].traceId}`;
  assert.equal(printed[0][0], id);
  assert.match(printed[0][1], new RegExp(`/#/experiments/0/traces\\?selectedEvaluationId=${id}$`));
});

test("Sessions, users, tags and metadata are on the spans inside, where MLflow reads them", async () => {
  const [code] = examples("Sessions, users, tags and metadata");
  const { spans, stderr } = await example(
    `import { autolog } from "openinference-mlflow";
     import { trace } from "@opentelemetry/api";
     import { getAttributesFromContext } from "@arizeai/openinference-core";
     const answer = () => trace.getTracer("app").startSpan("inside", { attributes: getAttributesFromContext(context.active()) }).end();
     const question = "why?";
     autolog();
     ${code}`,
  );
  const { attributes } = spans[0];
  assert.deepEqual(
    [attributes["session.id"], attributes["user.id"], attributes["tag.tags"], attributes.metadata],
    ["session-1", "user-1", '["beta"]', '{"plan":"pro"}'],
    stderr,
  );
});

test("Feedback: one assessment of the trace, and one of the span", async () => {
  const [code] = examples("Feedback");
  const { requests, stderr } = await example(
    `import { autolog, flush, getLastTraceId, logFeedback } from "openinference-mlflow";
     import { trace } from "@opentelemetry/api";
     autolog();
     const judged = trace.getTracer("app").startSpan("a");
     const { traceId, spanId } = judged.spanContext();
     judged.end();
     await flush();
     ${code}
     await flush();
     process.stdout.write(JSON.stringify(spanId));`,
  );
  const sent = requests
    .filter(({ path }) => path.endsWith("/assessments"))
    .map(({ body }) => JSON.parse(body).assessment);
  const byName = Object.fromEntries(sent.map((assessment) => [assessment.assessment_name, assessment]));
  assert.deepEqual(Object.keys(byName).sort(), ["helpful", "relevance"], stderr);
  assert.deepEqual([byName.helpful.feedback.value, byName.helpful.rationale], [true, "It solved my problem."]);
  assert.equal(byName.helpful.source.source_type, "HUMAN");
  assert.equal(byName.relevance.feedback.value, 0.8);
  assert.deepEqual(byName.relevance.source, { source_type: "LLM_JUDGE", source_id: "gpt-4o" });
  assert.match(byName.relevance.span_id, /^[0-9a-f]{16}$/);
});

test("Privacy: the mask of the page", async () => {
  const [code] = examples("Privacy");
  const { spans } = await example(
    `import { autolog } from "openinference-mlflow"; ${code} ${SPAN} span("a", { "input.value": "card 4111111111111111" });`,
  );
  assert.equal(spans[0].attributes["input.value"], "card ****");
});

test("every example of the page is run by a test", () => {
  const here = [
    ...["Node", "Providers that are never global", "Phoenix and MLflow together", "Where is my trace?"],
    ...["Sessions, users, tags and metadata", "Feedback", "Privacy"],
  ];
  const elsewhere = {
    "AI SDK 5 and 6": "e2e/ai-sdk.mjs",
    "AI SDK 7": "e2e/ai-sdk.mjs",
    "Next.js": "apps/next.test.mjs",
    Tests: "runners/runners.test.mjs",
  };
  const headings = new Set(codeBlocks("docs/node.md").map(({ heading }) => heading));
  assert.deepEqual([...headings].sort(), [...here, ...Object.keys(elsewhere)].sort());
});
