/** The builds for browsers and edge runtimes: one ES module each that needs nothing of Node. */

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fixturePath, installFixtures } from "./matrix/fixtures.mjs";
import { setUps } from "./set-ups.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

const dist = `${fixturePath("sdk-2.12")}/node_modules/openinference-mlflow/dist`;

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

/** Runs without `process` and `require`, which those runtimes lack. (Node's own `fetch` needs `Buffer`.) */
const APPLICATION = `
  const { process } = globalThis;
  const url = process.env.MLFLOW_TRACKING_URI;
  delete globalThis.process;
  const { trace } = await import("@opentelemetry/api");
  const { autolog, flush, stats } = await import("BUILD");
  autolog({ trackingUri: url });
  trace.getTracer("edge").startSpan("a").end();
  await flush();
  globalThis.process = process;
  process.stdout.write(JSON.stringify(stats()));`;

describe("builds without Node", () => {
  for (const { name } of setUps("edge.test.mjs")) {
    const build = name.replace(/`(.*)\.js`/, "$1");
    test(`${build}.js imports only the API and the WebAssembly, and delivers`, async () => {
      const text = readFileSync(`${dist}/${build}.js`, "utf8");
      const imports = [...text.matchAll(/\bimport(?:[\w*\s{},]*from)?"([^"]+)"/g)].map(([, name]) => name).sort();
      const wasm = {
        browser: ["./translator-text.cjs"],
        "edge-light": ["./translator.wasm?module"],
        workerd: ["./translator.wasm"],
      }[build];
      assert.deepEqual(imports, [...wasm, "@opentelemetry/api"]);
      // workerd has this module, behind a flag.
      assert.doesNotMatch(text.replace('"node:async_hooks"', ""), /node:|\brequire\(/);

      // Node cannot import WebAssembly as a module: compile it here, as the runtime would.
      const compiled = `const wasm = new WebAssembly.Module((await import("node:fs")).readFileSync("${dist}/translator.wasm"));`;
      const file = `${dist}/${build}-for-test.mjs`;
      writeFileSync(
        file,
        text.replace(/\bimport (\w+) from"\.\/translator\.wasm(\?module)?";/, (_, name) =>
          compiled.replace("const wasm", `const ${name}`),
        ),
      );
      try {
        const source = APPLICATION.replace(`BUILD`, file);
        const { spans, printed, stderr } = await app(mock, source, { prelude: "" });
        assert.deepEqual([names(spans), printed[0]?.delivered], [["a"], 1], stderr);
      } finally {
        rmSync(file);
      }
    });
  }
});
