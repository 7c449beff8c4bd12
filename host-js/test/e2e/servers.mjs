/** What the tests of this folder talk to: one real MLflow, one real Phoenix, one mock of the model APIs. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { install } from "../support/install.mjs";
import { startMlflowServer } from "../support/mlflow-server.mjs";
import { startPhoenixServer } from "../support/phoenix-server.mjs";
import { run } from "../support/run.mjs";
import { eventually } from "../support/server-process.mjs";
import { startModels } from "./models.mjs";

export let mlflow;
export let phoenix;
let models;

before(async () => {
  const started = await Promise.allSettled([startMlflowServer(), startPhoenixServer(), startModels()]);
  [mlflow, phoenix, models] = started.map(({ value }) => value);
  for (const { reason } of started) if (reason) throw reason;
});
after(() => Promise.all([mlflow?.stop(), phoenix?.stop(), models?.stop()]));

/** For `app` of `support/app.mjs`, which asks a mock for its address: these applications talk to the real server. */
export const real = { uri: () => mlflow.uri, spans: () => [], requests: () => [] };

/**
 * Runs an application to its end, with the packages of a folder below this one. Its experiment and its project in Phoenix
 * have one name.
 *
 * @param source the text of an ES module that ends by printing its `stats()`
 * @returns its `stats()`, every trace that MLflow has of it, and their spans
 */
export async function runApplication(packages, source, experiment, { node = process.execPath, env = {} } = {}) {
  const folder = fileURLToPath(new URL(packages, import.meta.url));
  install(folder);
  const file = `${folder}/node_modules/.cases/${experiment}.mjs`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const ended = await run(node, [file], {
    cwd: folder,
    limitMillis: 180_000,
    env: {
      MLFLOW_TRACKING_URI: mlflow.uri,
      MLFLOW_EXPERIMENT_NAME: experiment,
      MODELS: models.uri,
      OPENAI_BASE_URL: `${models.uri}/v1`,
      OPENAI_API_KEY: "test",
      PHOENIX_URL: `${phoenix.uri}/v1/traces`,
      PHOENIX_PROJECT: experiment,
      ...env,
    },
  });
  assert.equal(ended.code, 0, ended.stderr);
  const stats = JSON.parse(ended.stdout);
  assert.deepEqual([stats.dropped, stats.quarantined, stats.pending], [0, 0, 0], ended.stderr);
  const traces = await mlflow.traces(experiment);
  return { stats, traces, spans: traces.flatMap((trace) => trace.spans) };
}

/** What a span says. Of the rest Phoenix adds some itself, and takes some apart. */
const CONTENT =
  /^(openinference\.span\.kind|input\.value|output\.value|llm\.(input|output)_messages\..*|llm\.token_count\..*)$/;

/** MLflow and Phoenix hold the same spans: ids, parents, names and content. */
export async function assertBothHold(spans, project) {
  const there = await eventually(async () => {
    const found = await phoenix.spans(project);
    return found.length >= spans.length && found;
  }, `${spans.length} spans in Phoenix`);
  const row = (name, traceId, spanId, parent) => `${traceId} ${parent || "-"} ${spanId} ${name}`;
  const here = spans.map((span) => row(span.name, hex(span.trace_id), hex(span.span_id), hex(span.parent_span_id)));
  assert.deepEqual(
    here.sort(),
    there.map((span) => row(span.name, span.trace_id, span.span_id, span.parent_span_id)).sort(),
  );
  const content = (attributes) => {
    const entries = Object.entries(attributes).filter(([key, value]) => CONTENT.test(key) && value !== null);
    return Object.fromEntries(entries.map(([key, value]) => [key, parsed(value)]));
  };
  const byId = new Map(spans.map((span) => [hex(span.span_id), content(span.attributes)]));
  for (const { name, span_id, attributes } of there) {
    const has = byId.get(span_id);
    const wanted = content(attributes);
    // Of what the Anthropic and AI SDKs say in `gen_ai.*` themselves, Phoenix shows more in OpenInference's words.
    const isRetold = Object.keys(attributes).some((key) => key.startsWith("gen_ai."));
    for (const key of Object.keys(wanted)) if (isRetold && !(key in has)) delete wanted[key];
    assert.deepEqual(has, wanted, name);
  }
}

/** MLflow shows a text that is JSON as what it says. */
function parsed(value) {
  try {
    return typeof value === "string" ? parsed(JSON.parse(value)) : value;
  } catch {
    return value;
  }
}

/** MLflow's JSON has ids in base64. */
function hex(id) {
  return Buffer.from(id ?? "", "base64").toString("hex");
}
