/** Runs a program to its end, within a limit. */

import { spawn } from "node:child_process";

const LIMIT_MILLIS = 60_000;

/** The line that this package prints at its first success. `run` returns it apart from the rest of standard error. */
const SUCCESS = /^openinference-mlflow: traces are in MLflow: .*\n/gm;

/** @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string, successes: string[]}>} */
export function run(command, args, { env = {}, cwd, onStart, limitMillis = LIMIT_MILLIS } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      onStart?.(child, stdout);
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), limitMillis);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      resolve({ code, signal, stdout, stderr: stderr.replace(SUCCESS, ""), successes: stderr.match(SUCCESS) ?? [] });
    });
  });
}

/** The developer's own settings for MLflow, OpenTelemetry or OpenInference must not reach the tests. */
function cleanEnvironment() {
  const foreign = /^(MLFLOW_|DATABRICKS_|OTEL_|OPENINFERENCE_|PHOENIX_|NODE_OPTIONS$|NODE_TEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
