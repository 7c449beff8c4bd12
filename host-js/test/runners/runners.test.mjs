/** Test runners: what arrives of a test file's spans, what is said, and how tracing is turned off. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installRuntimes, runtimes } from "../runtimes/install.mjs";
import { setUps } from "../set-ups.mjs";
import { examples } from "../support/docs.mjs";
import { install } from "../support/install.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { run } from "../support/run.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

let mock;
before(async () => {
  install(folder);
  installRuntimes();
  mock = await startMlflowMock();
});
after(() => mock.stop());

const [VITEST_OFF, JEST_OFF, VITEST_FLUSH] = examples("Tests");

const vitest = (pool) => ({
  command: ["node_modules/vitest/vitest.mjs", "run", `--pool=${pool}`],
  file: "app.test.mjs",
  imports: `import { expect, test } from "vitest"; import { trace } from "@opentelemetry/api";`,
  autolog: `import { autolog, stats } from "openinference-mlflow"; autolog();`,
  flush: VITEST_FLUSH,
  off: { "vitest.config.ts": VITEST_OFF },
});

/** How each is run, its test file, and the page's ways to flush and to turn tracing off. */
const RUNNERS = {
  "Vitest, child processes": vitest("forks"),
  "Vitest, threads": vitest("threads"),
  Jest: {
    command: ["node_modules/jest/bin/jest.js"],
    file: "app.test.js",
    imports: `const { trace } = require("@opentelemetry/api");`,
    autolog: `const { autolog, stats } = require("openinference-mlflow"); autolog();`,
    flush: VITEST_FLUSH.replace(/import .* from "vitest";\n/, "").replace(
      /import (.*) from (.*);/,
      "const $1 = require($2);",
    ),
    off: { "jest.setup.js": JEST_OFF, "jest.config.js": `module.exports = { setupFiles: ["./jest.setup.js"] };` },
  },
};

/** Runs one test file in a folder of its own. */
async function runTests({ command, file, imports, autolog }, { received = 1, flush = "", files = {}, uri }) {
  // Jest finds no tests below node_modules.
  const cases = join(folder, ".work");
  mkdirSync(cases, { recursive: true });
  const app = mkdtempSync(join(cases, "app-"));
  try {
    const body = `test("a", () => { trace.getTracer("x").startSpan("a").end(); expect(stats().received).toBe(${received}); });`;
    writeFileSync(join(app, "package.json"), "{}");
    writeFileSync(join(app, file), [imports, autolog, flush, body].join("\n"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
    const [program, ...rest] = command;
    const args = [join(folder, program), ...rest, ...(file.endsWith("mjs") ? ["--root", app] : ["--rootDir", app])];
    return await run(runtimes["Node 24"][0], args, { cwd: app, env: { MLFLOW_TRACKING_URI: uri, NO_COLOR: "1" } });
  } finally {
    rmSync(app, { recursive: true });
  }
}

for (const { name } of setUps("runners/runners.test.mjs")) {
  const runner = RUNNERS[name];
  const id = name.replaceAll(/\W+/g, "-");
  const isJest = name === "Jest";

  describe(name, { concurrency: 2 }, () => {
    test("with a flush in afterAll the spans of a test file arrive", async () => {
      const { code, stdout, stderr } = await runTests(runner, { flush: runner.flush, uri: mock.uri(`${id}-flush`) });
      assert.equal(code, 0, stdout + stderr);
      assert.equal(mock.spans(`${id}-flush`).length, 1, stdout + stderr);
    });

    test("without a flush the spans arrive, or a message says what to do", async () => {
      const { code, stdout, stderr } = await runTests(runner, { uri: mock.uri(`${id}-end`) });
      assert.equal(code, 0, stdout + stderr);
      if (isJest) assert.match(stderr, /openinference-mlflow: Jest ends its workers .*flush\(\).* in afterAll/);
      else assert.equal(mock.spans(`${id}-end`).length, 1, stdout + stderr);
    });

    test("a server that is down fails no test, and a message names it", async () => {
      const options = { uri: "http://127.0.0.1:9", flush: isJest ? runner.flush : "" };
      const { code, stdout, stderr } = await runTests(runner, options);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stderr, /openinference-mlflow: .*http:\/\/127\.0\.0\.1:9/);
      assert.doesNotMatch(stdout + stderr, /Cannot log after tests are done|Unhandled/);
    });

    test("the page's way to turn tracing off leaves nothing of it", async () => {
      const options = { received: 0, files: runner.off, uri: mock.uri(`${id}-off`) };
      const { code, stdout, stderr } = await runTests(runner, options);
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(mock.requests(`${id}-off`), []);
      assert.doesNotMatch(stdout + stderr, /openinference-mlflow/);
    });
  });
}
