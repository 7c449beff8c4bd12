/** The declarations, in each way in which TypeScript resolves modules. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { setUps } from "../set-ups.mjs";
import { run } from "../support/run.mjs";
import { prepare } from "./work.mjs";

const SOURCE = `
import { type AutologOptions, type DeliveryStats, autolog, flush, logFeedback, MlflowSpanProcessor, stats } from "openinference-mlflow";

const options: AutologOptions = { experiment: "my-agent", filter: (span) => span.name !== "health" };
autolog(options);
logFeedback({ traceId: "1".repeat(32), name: "helpful", value: true });
const processor: { forceFlush(): Promise<void> } = new MlflowSpanProcessor(options);
const counters: DeliveryStats = stats();
void flush({ timeoutMillis: counters.pending }).then(() => processor.forceFlush());
// @ts-expect-error: without a type error the compiler reports this line.
autolog({ experiment: 5 });
`;

/** Options of the compiler, and the type of the application's package. */
const RESOLUTIONS = {
  node10: [{ module: "commonjs", moduleResolution: "node" }, "commonjs"],
  "node16, ES modules": [{ module: "node16", moduleResolution: "node16" }, "module"],
  "node16, CommonJS": [{ module: "node16", moduleResolution: "node16" }, "commonjs"],
  "nodenext, ES modules": [{ module: "nodenext", moduleResolution: "nodenext" }, "module"],
  bundler: [{ module: "esnext", moduleResolution: "bundler" }, "module"],
};

let folder;
before(() => {
  folder = prepare("typescript");
});

async function compile(compiler, name) {
  const [options, type] = RESOLUTIONS[name];
  const app = `${folder}/${compiler}-${name.replaceAll(/\W+/g, "-")}`;
  mkdirSync(app);
  writeFileSync(`${app}/package.json`, JSON.stringify({ type }));
  writeFileSync(`${app}/app.ts`, SOURCE);
  const compilerOptions = { ...options, target: "es2022", strict: true, noEmit: true, types: [] };
  writeFileSync(`${app}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  return run(process.execPath, [`${folder}/node_modules/${compiler}/bin/tsc`, "-p", app], {
    cwd: app,
    limitMillis: 300_000,
  });
}

for (const { name, packages } of setUps("apps/typescript.test.mjs")) {
  const [compiler] = Object.values(packages);
  describe(name, { concurrency: 2 }, () => {
    for (const resolution of Object.keys(RESOLUTIONS)) {
      test(`${resolution}: an application compiles, and a wrong option does not`, async () => {
        const { code, stdout } = await compile(compiler, resolution);
        assert.equal(code, 0, stdout);
      });
    }
  });
}
