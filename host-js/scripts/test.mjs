/**
 * `npm test`: everything. `npm run test:quick`: without bundlers, the matrix, real MLflow and the package check.
 *
 * Needs a build. Files run one after the other, because each starts processes, two at a time.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const QUICK = [
  ...[
    "golden",
    "examples",
    "autolog",
    "options",
    "resources",
    "datadog",
    "edge",
    "snapshot",
    "delivery",
    "worker",
    "tls",
  ],
  "exits",
].map((name) => `test/${name}.test.mjs`);
const MORE = ["bundlers/bundlers", "matrix/order", "runtimes/runtimes", "runtimes/workerd", "e2e/e2e"].map(
  (name) => `test/${name}.test.mjs`,
);

const all = process.argv[2] === "all";
if (!existsSync("dist/index.cjs")) {
  console.error("nothing is built: run `npm run build` first");
  process.exit(1);
}

step("npm", ["run", "--silent", "lint"]);
step("npm", ["run", "--silent", "typecheck"]);
if (all) step("cargo", ["test", "--quiet", "--locked", "-p", "openinference-mlflow-wasm"]);
step(process.execPath, ["--test", "--test-concurrency=1", ...QUICK, ...(all ? MORE : [])]);
if (all) step("npm", ["run", "--silent", "check:package"]);

function step(command, args) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
