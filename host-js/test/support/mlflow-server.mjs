/** A real `mlflow server` on loopback: SQLite store in a folder of its own, read over its REST API. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts, startProcess } from "./server-process.mjs";

/** `make setup` installs MLflow into the repository; `MLFLOW_BIN` names another one. */
const mlflow = process.env.MLFLOW_BIN ?? fileURLToPath(new URL("../../../.venv/bin/mlflow", import.meta.url));

/** `pause` and `resume` stop the server and start it again: the store, the port and so the address stay the same. */
export async function startMlflowServer() {
  if (!existsSync(mlflow)) throw new Error(`${mlflow} is missing: run \`make setup\`, or set MLFLOW_BIN`);
  const folder = mkdtempSync(join(tmpdir(), "mlflow-"));
  const [port] = await freePorts(1);
  const uri = `http://127.0.0.1:${port}`;
  const start = () =>
    startProcess({
      command: mlflow,
      args: [
        ...["server", "--backend-store-uri", `sqlite:///${folder}/mlflow.db`, "--workers", "1"],
        ...["--artifacts-destination", `${folder}/artifacts`, "--host", "127.0.0.1", "--port", String(port)],
      ],
      env: { MLFLOW_DISABLE_TELEMETRY: "true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
      folder,
      health: `${uri}/health`,
    });
  let server = await start();
  return {
    uri,
    traces: (experiment) => traces(uri, experiment),
    createExperiment: async (name) => (await json(`${uri}/api/2.0/mlflow/experiments/create`, { name })).experiment_id,
    deleteExperiment: (id) => json(`${uri}/api/2.0/mlflow/experiments/delete`, { experiment_id: id }),
    restoreExperiment: (id) => json(`${uri}/api/2.0/mlflow/experiments/restore`, { experiment_id: id }),
    pause: () => server.stop(),
    async resume() {
      server = await start();
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every trace of an experiment: its info, and its spans with attributes as MLflow shows them. */
async function traces(uri, experimentName) {
  const found = await json(`${uri}/api/2.0/mlflow/experiments/get-by-name?experiment_name=${experimentName}`);
  const location = { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: found.experiment.experiment_id } };
  const infos = [];
  let page = {};
  do {
    const asked = { locations: [location], page_token: page.next_page_token };
    page = await json(`${uri}/api/3.0/mlflow/traces/search`, asked);
    infos.push(...(page.traces ?? []));
  } while (page.next_page_token);
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
