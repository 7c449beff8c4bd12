/**
 * Captured payloads on one real MLflow server, each three times: through the gateway, as `replay` sends it; raw, as an
 * exporter would send it to MLflow's own `/v1/traces`; and through the Python package, whose processor gets the spans. Beside
 * them, what the captured applications send now with the Python package.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startMlflowServer } from "../../../host-js/test/support/mlflow-server.mjs";
import { run } from "../../../host-js/test/support/run.mjs";

const FIXTURES = fileURLToPath(new URL("../../fixtures/otlp/", import.meta.url));
const BINARY =
  process.env.OPENINFERENCE_MLFLOW_BINARY ??
  fileURLToPath(new URL("../../../target/release/openinference-mlflow", import.meta.url));

const PYTHON = fileURLToPath(new URL("../../../.venv-python-newest/bin/python", import.meta.url));
const TESTS = fileURLToPath(new URL("../../", import.meta.url));
const PYTHON_OF_TESTS = fileURLToPath(new URL("../../../.venv/bin/python", import.meta.url));
/** Every payload, and six applications that take seconds to import what they use, on a machine that does other things too. */
const LIMIT_MILLIS = 600_000;
const THROUGH_PYTHON = fileURLToPath(new URL("through_python.py", import.meta.url));

export const MANIFEST = JSON.parse(readFileSync(join(FIXTURES, "manifest.json"), "utf8"));

/** @returns {Promise<{uri: string, translated: Side, raw: Side, python: Side, stop: () => Promise<void>}>} */
export function storeEachWay(names) {
  return onServer((server) => eachWay(server, names));
}

/** The same, and `applications`: what the captured applications do now. See `tests/capture/autolog.py`. */
export function storeEachWayWithApplications(names) {
  return onServer(async (server) => ({
    ...(await eachWay(server, names)),
    applications: await side(server, "applications", () => runApplications(server.uri, "applications")),
  }));
}

async function eachWay(server, names) {
  const translated = await side(server, "translated", () => replay(server.uri, "translated", names));
  const raw = await side(server, "raw", (experimentId) => post(server.uri, experimentId, translated));
  const python = await side(server, "python", () => endInPython(server.uri, "python", translated));
  return { translated, raw, python };
}

/** Through the gateway alone, into an experiment of this name: MLflow refuses or misreads some payloads that are raw. */
export function storeTranslated(experiment, names) {
  return onServer(async (server) => ({
    translated: await side(server, experiment, () => replay(server.uri, experiment, names)),
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

/**
 * The traces of each payload, oldest first: what MLflow says of them, and their spans.
 *
 * `store` returns the payloads by their names.
 */
async function side(server, name, store) {
  const { experiment_id } = await call(`${server.uri}/api/2.0/mlflow/experiments/create`, { name });
  const bodies = await store(experiment_id);
  const payloads = Object.keys(bodies);
  const stored = (await server.traces(name)).map(({ info, spans }) => ({
    id: info.trace_id,
    metadata: info.trace_metadata ?? {},
    content: content(info, spans),
    spans: spans.map(readableSpan).sort((one, other) => Number(one.start - other.start)),
  }));
  const traces = Object.fromEntries(payloads.map((payload) => [payload, []]));
  for (const trace of stored.sort((one, other) => Number(one.spans[0].start - other.spans[0].start))) {
    // Copies have the same span ids and other trace ids.
    const payload = payloads.find((each) => bodies[each].includes(Buffer.from(trace.spans[0].id, "hex")));
    traces[payload].push(trace);
  }
  const ofType = (type) => searchIds(server.uri, experiment_id, `span.type = '${type}'`);
  return { name, experimentId: experiment_id, traces, ofType };
}

/** What MLflow stores of a trace, without what names the copy. */
function content({ trace_id, request_preview, response_preview, state, tags = {}, trace_metadata = {} }, spans) {
  const names = new Map(spans.map(({ span_id, name }) => [span_id, name]));
  // Ids, places, sizes that count them, and what follows a preview that came later.
  const varying = /^mlflow\.(artifactLocation|traceRequestId|trace\.(sizeBytes|sizeStats|spansLocation|infoFinalized))$/;
  const kept = (entries) => Object.fromEntries(Object.entries(entries).filter(([key]) => !varying.test(key)).sort());
  // The gateway's copies have smaller attachments than the Python package makes.
  const isPicture = /mlflow-attachment:\/\/[^"\\]*|data:image\/[^"\\]*|iVBORw0KGgo[^"\\]*/g;
  // The optional request for a preview that only loses its quotes may come or not.
  const unquoted = (preview = "") => preview.replace(/^"(.*)"$/s, "$1");
  const ofSpans = spans
    .map(({ span_id, name, parent_span_id, attributes, status, events }) => ({
      ...{ span_id, name, parent: names.get(parent_span_id), status, events },
      attributes: kept(attributes),
    }))
    .sort((one, other) => (one.span_id < other.span_id ? -1 : 1));
  const previews = [request_preview, response_preview].map(unquoted);
  const whole = { previews, state, tags: kept(tags), metadata: kept(trace_metadata), ofSpans };
  return JSON.stringify(whole, undefined, 1).replaceAll(trace_id, "tr-").replace(isPicture, "picture");
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
  const files = payloads.map((name) => join(FIXTURES, name));
  const done = await run(BINARY, ["replay", ...destination, ...files], { limitMillis: LIMIT_MILLIS });
  rmSync(folder, { recursive: true, force: true });
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout + done.stderr, new RegExp(`delivered: ${payloads.length} of ${payloads.length} payloads`));
  return Object.fromEntries(payloads.map((name) => [name, body(name)]));
}

/** MLflow keeps a trace in the first experiment that saw it, so copies get trace ids of their own. */
function copies(kind, { traces }) {
  return Object.entries(traces).map(([payload, stored]) => {
    const ids = stored.map(({ id }) => Buffer.from(id.slice("tr-".length), "hex"));
    return [payload, ids.reduce((copy, id) => replaced(copy, id, kind), body(payload))];
  });
}

async function post(uri, experimentId, translated) {
  const copied = copies("raw", translated);
  for (const [payload, copy] of copied) {
    const headers = { "content-type": "application/x-protobuf", "x-mlflow-experiment-id": experimentId };
    const response = await fetch(`${uri}/v1/traces`, { method: "POST", headers, body: copy });
    assert.equal(response.status, 200, `${payload}: ${await response.text()}`);
  }
  return Object.fromEntries(copied);
}

async function endInPython(uri, experiment, translated) {
  const folder = mkdtempSync(join(tmpdir(), "python-"));
  const copied = copies("python", translated);
  const files = copied.map(([payload, copy]) => {
    const file = join(folder, payload);
    writeFileSync(file, copy);
    return file;
  });
  const done = await run(PYTHON, [THROUGH_PYTHON, uri, experiment, ...files], { limitMillis: LIMIT_MILLIS });
  rmSync(folder, { recursive: true, force: true });
  assert.equal(done.code, 0, done.stderr);
  return Object.fromEntries(copied);
}

async function runApplications(uri, experiment) {
  const folder = mkdtempSync(join(tmpdir(), "applications-"));
  const limits = { cwd: TESTS, limitMillis: LIMIT_MILLIS };
  const done = await run(PYTHON_OF_TESTS, ["-m", "capture.autolog", uri, experiment, folder], limits);
  const made = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
  rmSync(folder, { recursive: true, force: true });
  assert.equal(done.code, 0, done.stderr);
  return Object.fromEntries(made);
}

function replaced(bytes, id, kind) {
  const other = createHash("sha256").update(kind).update(id).digest().subarray(0, id.length);
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
  const headers = { "content-type": "application/json" };
  const post = () => fetch(url, { method: "POST", headers, body: JSON.stringify(asked) });
  // The server may have closed the connection, which was idle while payloads were stored.
  const response = await post().catch((error) => (error.cause?.code === "UND_ERR_SOCKET" ? post() : Promise.reject(error)));
  assert.equal(response.ok, true, `${url}: ${response.status}`);
  return response.json();
}

const bodies = new Map();
function body(payload) {
  if (!bodies.has(payload)) bodies.set(payload, readFileSync(join(FIXTURES, payload)));
  return bodies.get(payload);
}
