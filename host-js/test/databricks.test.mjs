/** A Databricks workspace, against the contract of the end-to-end tests (`tests/e2e/harness/databricks.py`). */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const python = process.env.MLFLOW_BIN
  ? join(dirname(process.env.MLFLOW_BIN), "python")
  : `${repository}.venv/bin/python`;
const TOKEN = "dapi-for-tests-only";
const SPAN = `span("answer", {
  "openinference.span.kind": "CHAIN", "input.value": '{"question": ["a", 1]}', "input.mime_type": "application/json" });`;

let mock;
let home;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
  home = mkdtempSync(join(tmpdir(), "databricks-"));
});
after(async () => {
  await mock.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Runs an application that uses a workspace with these tables. It fails if the workspace is asked anything else. */
async function withWorkspace(tables, source, variables) {
  const command = ["-m", "e2e.harness.databricks", ...tables];
  const options = { cwd: `${repository}tests`, stdio: ["pipe", "pipe", "inherit"] };
  const workspace = spawn(python, command, options);
  let printed = "";
  workspace.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  while (!printed.includes("\n")) await once(workspace.stdout, "data");
  const uri = printed.trim();
  try {
    const ended = await app(mock, source, { env: { HOME: home, ...variables(uri) } });
    workspace.stdin.end();
    const [code] = await once(workspace, "close");
    assert.equal(code, 0, ended.stderr);
    return { ...ended, ...JSON.parse(printed.slice(uri.length)) };
  } finally {
    workspace.kill();
  }
}

const ofVariables = (uri) => ({ MLFLOW_TRACKING_URI: "databricks", DATABRICKS_HOST: uri, DATABRICKS_TOKEN: TOKEN });

describe("a Databricks workspace", { concurrency: 2 }, () => {
  for (const [way, location, table, variables] of [
    ["variables", "main.traces", "main.traces.mlflow_experiment_trace_otel_spans", ofVariables],
    [
      "a profile",
      "main.traces.agent",
      "main.traces.agent_otel_spans",
      (uri) => {
        writeFileSync(join(home, ".databrickscfg"), `# by a tool\n[team]\nhost = ${uri}/\ntoken=${TOKEN}\n[DEFAULT]\n`);
        return { MLFLOW_TRACKING_URI: "databricks://team" };
      },
    ],
  ]) {
    test(`named by ${way} gets the spans as MLflow's own client sends them`, async () => {
      const source = `autolog(); ${SPAN}
        logFeedback({ traceId: getLastTraceId(), name: "helpful", value: true });
        await flush(); print([stats().delivered, getTraceUrl() ?? null]);`;
      const settings = (uri) => ({ ...variables(uri), MLFLOW_TRACING_DESTINATION: location });
      const { exports, printed, stderr, successes } = await withWorkspace([table], source, settings);
      assert.deepEqual(printed, [[1, null]], stderr);
      assert.equal(exports.length, 1);
      assert.equal(exports[0].headers["x-databricks-uc-table-name"], table);
      assert.equal(exports[0].headers.authorization, `Bearer ${TOKEN}`);
      const inputs = exports[0].spans[0].attributes.find(({ key }) => key === "mlflow.spanInputs").value;
      const values = [{ stringValue: "a" }, { intValue: "1" }];
      assert.deepEqual(inputs, { kvlistValue: { values: [{ key: "question", value: { arrayValue: { values } } }] } });
      assert.match(stderr, /its feedback .* a table of Unity Catalog takes spans alone/);
      assert.match(successes[0], new RegExp(`Unity Catalog ${location}`));
      assert.doesNotMatch(stderr + successes, new RegExp(TOKEN));
    });
  }

  test("that does not accept the token is reported without it", async () => {
    const source = `autolog({ token: "wrong-secret", traceLocation: "a.b" }); ${SPAN}
      await flush({ timeoutMillis: 5000 });`;
    const { exports, refusals, stderr } = await withWorkspace([], source, ofVariables);
    assert.deepEqual([exports, refusals[0]], [[], 401]);
    assert.match(stderr, /Databricks workspace does not accept the credentials.*DATABRICKS_TOKEN/);
    assert.doesNotMatch(stderr, /wrong-secret|dapi/);
  });

  for (const [what, env, message] of [
    ["a token", { DATABRICKS_HOST: "https://a.example.com" }, /DATABRICKS_TOKEN is not set/],
    ["a host", { DATABRICKS_TOKEN: TOKEN }, /DATABRICKS_HOST is not set/],
    ["a profile", { MLFLOW_TRACKING_URI: "databricks://nobody", DATABRICKS_CONFIG_FILE: "/nowhere" }, /cannot be read/],
    ["a location", ofVariables("https://a.example.com"), /name the location .* MLFLOW_TRACING_DESTINATION/],
  ]) {
    test(`without ${what} is reported with what is missing`, async () => {
      const { code, stderr } = await app(mock, `autolog(); ${SPAN} await flush();`, {
        env: { HOME: "/nowhere", MLFLOW_TRACKING_URI: "databricks", ...env },
      });
      assert.equal(code, 0);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, new RegExp(TOKEN));
    });
  }
});
