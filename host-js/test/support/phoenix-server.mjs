/**
 * A real Phoenix server on loopback: SQLite store in a folder of its own, read over its REST API.
 *
 * Its gRPC port listens on every address: Phoenix has no setting for that.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts, startProcess } from "./server-process.mjs";

/** `make setup` installs Phoenix into the repository; `PHOENIX_BIN` names another one. */
const phoenix =
  process.env.PHOENIX_BIN ?? fileURLToPath(new URL("../../../.venv-phoenix/bin/phoenix", import.meta.url));

export async function startPhoenixServer() {
  if (!existsSync(phoenix)) throw new Error(`${phoenix} is missing: run \`make setup\`, or set PHOENIX_BIN`);
  const folder = mkdtempSync(join(tmpdir(), "phoenix-"));
  const [port, grpcPort] = await freePorts(2);
  const uri = `http://127.0.0.1:${port}`;
  const server = await startProcess({
    command: phoenix,
    args: ["serve"],
    env: {
      PHOENIX_HOST: "127.0.0.1",
      PHOENIX_PORT: String(port),
      PHOENIX_GRPC_PORT: String(grpcPort),
      PHOENIX_WORKING_DIR: folder,
      PHOENIX_TELEMETRY_ENABLED: "false",
      PHOENIX_ALLOW_EXTERNAL_RESOURCES: "false",
    },
    folder,
    health: `${uri}/healthz`,
  });
  return {
    uri,
    spans: (project) => spans(uri, project),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every span of a project, attributes as plain values. Phoenix answers an export before it has stored it. */
async function spans(uri, project) {
  const found = [];
  let cursor = "";
  do {
    const response = await fetch(`${uri}/v1/projects/${project}/spans/otlpv1?limit=1000${cursor}`);
    // No such project yet.
    if (response.status === 404) return found;
    if (!response.ok) throw new Error(`Phoenix: ${response.status} ${await response.text()}`);
    const { data, next_cursor } = await response.json();
    found.push(...data.map((span) => ({ ...span, attributes: plain(span.attributes) })));
    cursor = next_cursor ? `&cursor=${next_cursor}` : "";
  } while (cursor);
  return found;
}

function plain(attributes) {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, plainValue(value)]));
}

/** Phoenix names every alternative of a value, all but one with `null`. */
function plainValue(value) {
  if (value?.array_value) return (value.array_value.values ?? []).map(plainValue);
  if (value?.kvlist_value) return plain(value.kvlist_value.values);
  return value?.string_value ?? value?.int_value ?? value?.double_value ?? value?.bool_value ?? null;
}
