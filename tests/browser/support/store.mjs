/**
 * Captured payloads on one real MLflow server, each twice: through the gateway, as `replay` sends it, and raw, as an
 * exporter would send it to MLflow's own `/v1/traces`.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startMlflowServer } from "../../../host-js/test/support/mlflow-server.mjs";
import { run } from "../../../host-js/test/support/run.mjs";

const FIXTURES = fileURLToPath(new URL("../../fixtures/otlp/", import.meta.url));
const BINARY =
  process.env.OPENINFERENCE_MLFLOW_BINARY ??
  fileURLToPath(new URL("../../../target/release/openinference-mlflow", import.meta.url));

export const MANIFEST = JSON.parse(readFileSync(join(FIXTURES, "manifest.json"), "utf8"));

/** @returns {Promise<{uri: string, translated: Side, raw: Side, stop: () => Promise<void>}>} */
export function storeTwice(names) {
  return onServer(async (server) => {
    const translated = await side(server, "translated", names, () => replay(server.uri, "translated", names));
    const raw = await side(server, "raw", names, (experimentId) => post(server.uri, experimentId, translated));
    return { translated, raw };
  });
}

/** Through the gateway alone, into an experiment of this name: MLflow refuses or misreads some payloads that are raw. */
export function storeTranslated(experiment, names) {
  return onServer(async (server) => ({
    translated: await side(server, experiment, names, () => replay(server.uri, experiment, names)),
  }));
}

async function onServer(store) {
  const server = await startMlflowServer();
  try {
    return { uri: server.uri, stop: server.stop, ...(await store(server)) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The traces of each payload, oldest first: what MLflow says of them, and their spans. */
async function side(server, name, payloads, store) {
  const { experiment_id } = await call(`${server.uri}/api/2.0/mlflow/experiments/create`, { name });
  await store(experiment_id);
  const stored = (await server.traces(name)).map(({ info, spans }) => ({
    id: info.trace_id,
    metadata: info.trace_metadata ?? {},
    spans: spans.map(readableSpan).sort((one, other) => Number(one.start - other.start)),
  }));
  const traces = Object.fromEntries(payloads.map((payload) => [payload, []]));
  for (const trace of stored.sort((one, other) => Number(one.spans[0].start - other.spans[0].start))) {
    // Span ids are the same on both sides, trace ids are not.
    const payload = payloads.find((each) => body(each).includes(Buffer.from(trace.spans[0].id, "hex")));
    traces[payload].push(trace);
  }
  const ofType = (type) => searchIds(server.uri, experiment_id, `span.type = '${type}'`);
  return { name, experimentId: experiment_id, traces, ofType };
}

function readableSpan({ span_id, name, start_time_unix_nano, attributes }) {
  // MLflow keeps the attributes of raw spans in JSON.
  const kind = String(attributes["openinference.span.kind"] ?? "").replaceAll('"', "");
  const id = Buffer.from(span_id, "base64").toString("hex");
  const hasAttachment = JSON.stringify(attributes).includes("mlflow-attachment://");
  return { id, name, kind, start: BigInt(start_time_unix_nano), hasAttachment };
}

async function replay(uri, experiment, payloads) {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  // The captured pictures are a pixel each: as attachments they are drawn only when MLflow resolves the reference.
  const tuning = ["--attachment-min-size", "48"];
  const destination = ["--data-dir", folder, "--tracking-uri", uri, "--experiment", experiment, ...tuning];
  const done = await run(BINARY, ["replay", ...destination, ...payloads.map((name) => join(FIXTURES, name))]);
  rmSync(folder, { recursive: true, force: true });
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout + done.stderr, new RegExp(`delivered: ${payloads.length} of ${payloads.length} payloads`));
}

/** MLflow keeps a trace in the first experiment that saw it, so the raw copies get trace ids of their own. */
async function post(uri, experimentId, { traces }) {
  for (const [payload, stored] of Object.entries(traces)) {
    let copy = body(payload);
    for (const { id } of stored) copy = replaced(copy, Buffer.from(id.slice("tr-".length), "hex"));
    const headers = { "content-type": "application/x-protobuf", "x-mlflow-experiment-id": experimentId };
    const response = await fetch(`${uri}/v1/traces`, { method: "POST", headers, body: copy });
    assert.equal(response.status, 200, `${payload}: ${await response.text()}`);
  }
}

function replaced(bytes, id) {
  const other = createHash("sha256").update("raw").update(id).digest().subarray(0, id.length);
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(id); at >= 0; at = copy.indexOf(id, at + id.length)) other.copy(copy, at);
  return copy;
}

async function searchIds(uri, experiment_id, filter) {
  const location = { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id } };
  const asked = { locations: [location], filter, max_results: 500 };
  const { traces = [] } = await call(`${uri}/api/3.0/mlflow/traces/search`, asked);
  return new Set(traces.map(({ trace_id }) => trace_id));
}

async function call(url, asked) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  });
  assert.equal(response.ok, true, `${url}: ${response.status}`);
  return response.json();
}

const bodies = new Map();
function body(payload) {
  if (!bodies.has(payload)) bodies.set(payload, readFileSync(join(FIXTURES, payload)));
  return bodies.get(payload);
}
