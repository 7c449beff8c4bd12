/** The edge build in a real workerd, bundled as its users do it: no Node, WebAssembly as a module, `fetch` of the platform. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { fixturePath, installFixtures } from "../matrix/fixtures.mjs";
import { setUps } from "../set-ups.mjs";
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
      const tracer = trace.getTracer("worker");
      await tracer.startActiveSpan("answer", { attributes: { "openinference.span.kind": "CHAIN" } }, async (root) => {
        tracer.startSpan("before").end();
        await new Promise((resolve) => setTimeout(resolve, 5));
        tracer.startSpan("after").end();
        root.end();
      });
      await flush();
      return Response.json(stats());
    },
  };`;

const CONFIG = (port, flags) => `
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
    compatibilityFlags = ${JSON.stringify(flags)},
  );`;

for (const { name: setUp } of setUps("runtimes/workerd.test.mjs")) {
  test(`${setUp}: a Worker delivers its spans, nested`, async () => {
    const flags = [...setUp.matchAll(/`(.*)`/g)].map(([, flag]) => flag);
    const fixture = fixturePath("sdk-2.12");
    const name = ["workerd", ...flags].join("-");
    const folder = `${fixture}/node_modules/.cases/${name}`;
    mkdirSync(folder, { recursive: true });
    const [port] = await freePorts(1);
    writeFileSync(`${folder}/in.mjs`, APPLICATION(mock.uri(name)));
    writeFileSync(`${folder}/config.capnp`, CONFIG(port, flags));
    cpSync(`${fixture}/node_modules/openinference-mlflow/dist/translator.wasm`, `${folder}/translator.wasm`);
    await build({
      entryPoints: [`${folder}/in.mjs`],
      outfile: `${folder}/app.js`,
      ...{ bundle: true, format: "esm", platform: "neutral", mainFields: ["module", "main"], conditions: ["workerd"] },
      external: ["./translator.wasm"],
    });
    // npm may install it without the permission to run.
    chmodSync(workerd, 0o755);
    const child = spawn(workerd, ["serve", "config.capnp"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    try {
      const ask = async () => {
        const response = await fetch(`http://127.0.0.1:${port}/`);
        assert.equal(response.status, 200, await response.clone().text());
        return response.json();
      };
      const first = await eventually(() => ask().catch(() => undefined), `workerd: ${stderr}`);
      const counters = { received: 3, delivered: 3, dropped: 0, filtered: 0, quarantined: 0, pending: 0 };
      assert.deepEqual(first, counters);
      assert.equal((await ask()).delivered, 6);
      const spans = mock.spans(name);
      const roots = spans.filter((span) => span.name === "answer");
      const below = (child) => spans.filter((span) => span.name === child).map(({ parentSpanId }) => parentSpanId);
      assert.deepEqual(below("before").sort(), roots.map(({ spanId }) => spanId).sort());
      // Without AsyncLocalStorage no context survives an await, which the log says.
      const wanted = flags.length > 0 ? roots.map(({ spanId }) => spanId).sort() : ["", ""];
      assert.deepEqual(below("after").sort(), wanted);
      assert.equal(/add compatibility_flags/.test(stderr), flags.length === 0, stderr);
      assert.equal(roots[0].attributes["mlflow.spanType"], "CHAIN");
    } finally {
      child.kill();
    }
  });
}
