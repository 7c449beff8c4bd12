/** What becomes of `filter`, `getTraceUrl()` and `logFeedback()` in a real MLflow. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { installFixtures } from "../matrix/fixtures.mjs";
import { app } from "../support/app.mjs";
import { mlflow, real } from "./servers.mjs";

before(installFixtures);

/** An agent that asks a model, below a request that the web server's instrumentation records. */
const HANDLED = `
  const agent = { "openinference.span.kind": "AGENT", "input.value": "Hello?", "output.value": "Hi." };
  const handle = () => tracer.startActiveSpan("http GET", (get) => {
    tracer.startActiveSpan("agent", { attributes: agent }, (span) => {
      tracer.startSpan("model", { attributes: { "openinference.span.kind": "LLM" } }).end();
      span.end();
    });
    get.end();
  });
`;

test("a trace whose root was filtered has another root, previews and a state", async () => {
  const { printed, stderr } = await app(
    real,
    `${HANDLED}
     autolog({ experiment: "filtered", filter: (span) => !span.name.startsWith("http"), flushTimeoutMillis: 60_000 });
     handle(); await flush(); print(stats());`,
  );
  const counters = { received: 3, delivered: 2, dropped: 0, filtered: 1, quarantined: 0, pending: 0 };
  assert.deepEqual(printed, [counters], stderr);
  const [{ info, spans }, ...more] = await mlflow.traces("filtered");
  assert.deepEqual(more, []);
  assert.equal(info.state, "OK");
  // The optional request for a preview that only loses its quotes may come or not.
  const previews = [info.request_preview, info.response_preview].map((text) => text?.replace(/^"(.*)"$/, "$1"));
  assert.deepEqual(previews, ["Hello?", "Hi."]);
  const [agent, model] = ["agent", "model"].map((name) => spans.find((span) => span.name === name));
  assert.deepEqual([agent.parent_span_id ?? "", model.parent_span_id], ["", agent.span_id]);
});

test("feedback on a trace and on a span are assessments of the trace to which getTraceUrl() leads", async () => {
  const { printed, stderr } = await app(
    real,
    `${HANDLED}
     let judged;
     autolog({ experiment: "judged", flushTimeoutMillis: 60_000, filter: (span) => {
       if (span.name === "model") judged = span.spanContext().spanId;
       return true;
     } });
     handle(); await flush();
     const traceId = getLastTraceId();
     logFeedback({ traceId, name: "helpful", value: true, rationale: "It works.", source: { kind: "HUMAN", id: "ann" } });
     logFeedback({ traceId, spanId: judged, name: "tone", value: "friendly", source: { kind: "LLM", id: "judge-1" } });
     await flush(); print({ traceId, judged, url: getTraceUrl() });`,
  );
  const [{ traceId, judged, url }] = printed;
  const [{ info }, ...more] = await mlflow.traces("judged");
  assert.deepEqual(more, [], stderr);
  assert.equal(info.trace_id, traceId);
  const experimentId = info.trace_location.mlflow_experiment.experiment_id;
  assert.equal(url, `${mlflow.uri}/#/experiments/${experimentId}/traces?selectedEvaluationId=${traceId}`);
  assert.match(await (await fetch(url)).text(), /<title>MLflow<\/title>/);

  const assessments = info.assessments.map((each) => [
    ...[each.assessment_name, each.feedback.value, each.rationale, each.source, each.span_id],
  ]);
  assert.deepEqual(assessments.sort(), [
    ["helpful", true, "It works.", { source_type: "HUMAN", source_id: "ann" }, undefined],
    ["tone", "friendly", undefined, { source_type: "LLM_JUDGE", source_id: "judge-1" }, judged],
  ]);
});
