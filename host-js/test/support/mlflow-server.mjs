/** A real `mlflow server` on loopback: SQLite store in a folder of its own, read over its REST API. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The first start makes the database's tables; two busy cores need most of this. */
const START_MILLIS = 120_000;

/** `make setup` installs MLflow into the repository; `MLFLOW_BIN` names another one. */
const mlflow = process.env.MLFLOW_BIN ?? fileURLToPath(new URL("../../../.venv/bin/mlflow", import.meta.url));

export async function startMlflowServer() {
  if (!existsSync(mlflow)) throw new Error(`${mlflow} is missing: run \`make setup\`, or set MLFLOW_BIN`);
  const folder = mkdtempSync(join(tmpdir(), "mlflow-"));
  const port = await freePort();
  const log = join(folder, "mlflow.log");
  const output = openSync(log, "w");
  const child = spawn(
    mlflow,
    [
      ...["server", "--backend-store-uri", `sqlite:///${folder}/mlflow.db`, "--workers", "1"],
      ...["--artifacts-destination", `${folder}/artifacts`, "--host", "127.0.0.1", "--port", String(port)],
    ],
    {
      cwd: folder,
      // A group of its own, so that stopping it stops its workers.
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
    },
  );
  const uri = `http://127.0.0.1:${port}`;
  const stop = () =>
    new Promise((resolve) => {
      child.once("close", () => {
        rmSync(folder, { recursive: true, force: true });
        resolve();
      });
      process.kill(-child.pid, "SIGTERM");
    });
  const deadline = Date.now() + START_MILLIS;
  while (!(await isHealthy(uri))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const tail = readFileSync(log, "utf8").slice(-2000);
      if (child.exitCode === null) await stop();
      throw new Error(`mlflow server did not start:\n${tail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { uri, stop, traces: (experiment) => traces(uri, experiment) };
}

async function isHealthy(uri) {
  try {
    return (await fetch(`${uri}/health`)).ok;
  } catch {
    return false;
  }
}

/** Every trace of an experiment: its info, and its spans with attributes as MLflow shows them. */
async function traces(uri, experimentName) {
  const found = await json(`${uri}/api/2.0/mlflow/experiments/get-by-name?experiment_name=${experimentName}`);
  const location = { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: found.experiment.experiment_id } };
  const { traces: infos = [] } = await json(`${uri}/api/3.0/mlflow/traces/search`, { locations: [location] });
  return Promise.all(
    infos.map(async (info) => {
      const { trace } = await json(`${uri}/api/3.0/mlflow/traces/get?trace_id=${info.trace_id}`);
      return { info: trace.trace_info, spans: (trace.spans ?? []).map(readable) };
    }),
  );
}

function readable(span) {
  const attributes = Object.fromEntries((span.attributes ?? []).map(({ key, value }) => [key, plain(value)]));
  return { ...span, attributes };
}

/** OTLP's `AnyValue` in MLflow's JSON. */
function plain(value = {}) {
  if (value.kvlist_value) {
    return Object.fromEntries((value.kvlist_value.values ?? []).map(({ key, value }) => [key, plain(value)]));
  }
  if (value.array_value) return (value.array_value.values ?? []).map(plain);
  return value.string_value ?? value.int_value ?? value.double_value ?? value.bool_value ?? null;
}

async function json(url, body) {
  const init = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
