/** The edge build in a real workerd, bundled as its users do it: no Node, WebAssembly as a module, `fetch` of the platform. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { fixturePath, installFixtures } from "../matrix/fixtures.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { eventually, freePorts } from "../support/server-process.mjs";
import { installRuntimes, workerd } from "./install.mjs";

let mock;
before(async () => {
  installRuntimes();
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

const APPLICATION = (uri) => `
  import { trace } from "@opentelemetry/api";
  import { autolog, flush, stats } from "openinference-mlflow";
  export default {
    async fetch() {
      autolog({ trackingUri: ${JSON.stringify(uri)} });
      trace.getTracer("worker").startSpan("answer", { attributes: { "openinference.span.kind": "CHAIN" } }).end();
      await flush();
      return Response.json(stats());
    },
  };`;

const CONFIG = (port) => `
  using Workerd = import "/workerd/workerd.capnp";
  const config :Workerd.Config = (
    services = [
      (name = "main", worker = .main),
      (name = "internet", network = (allow = ["private", "local"])),
    ],
    sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  );
  const main :Workerd.Worker = (
    modules = [
      (name = "app.js", esModule = embed "app.js"),
      (name = "translator.wasm", wasm = embed "translator.wasm"),
    ],
    compatibilityDate = "2026-01-01",
  );`;

test("a worker's spans are delivered, one request after the other", async () => {
  const fixture = fixturePath("sdk-2.12");
  const folder = `${fixture}/node_modules/.cases/workerd`;
  mkdirSync(folder, { recursive: true });
  const [port] = await freePorts(1);
  writeFileSync(`${folder}/in.mjs`, APPLICATION(mock.uri("workerd")));
  writeFileSync(`${folder}/config.capnp`, CONFIG(port));
  cpSync(`${fixture}/node_modules/openinference-mlflow/dist/translator.wasm`, `${folder}/translator.wasm`);
  await build({
    entryPoints: [`${folder}/in.mjs`],
    outfile: `${folder}/app.js`,
    ...{ bundle: true, format: "esm", platform: "neutral", mainFields: ["module", "main"], conditions: ["workerd"] },
    external: ["./translator.wasm"],
  });
  // npm may install it without the right to run.
  chmodSync(workerd, 0o755);
  const child = spawn(workerd, ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  try {
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(response.status, 200, await response.clone().text());
      return response.json();
    };
    const first = await eventually(() => ask().catch(() => undefined), "workerd");
    assert.deepEqual(first, { received: 1, delivered: 1, dropped: 0, setAside: 0, pending: 0 });
    assert.equal((await ask()).delivered, 2);
    assert.deepEqual(
      mock.spans("workerd").map(({ name, attributes }) => [name, attributes["mlflow.spanType"]]),
      [
        ["answer", "CHAIN"],
        ["answer", "CHAIN"],
      ],
    );
  } finally {
    child.kill();
  }
});
