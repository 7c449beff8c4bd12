/** Runs a program to its end, within a limit, and says how it ended. */

import { spawn } from "node:child_process";

const LIMIT_MILLIS = 60_000;

/** @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string}>} */
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
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** Whoever runs the tests may have settings for MLflow, OpenTelemetry or OpenInference of their own. */
function cleanEnvironment() {
  const foreign = /^(MLFLOW_|OTEL_|OPENINFERENCE_|PHOENIX_|NODE_OPTIONS$|NODE_TEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
