/**
 * `npm test`: everything but the applications that take minutes to build, which `npm run test:apps` runs.
 * `npm run test:quick`: without bundlers, the matrix, real MLflow and the package check.
 *
 * Needs a build. Files run one after the other, because each starts processes, two at a time.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { APPS, MORE, QUICK } from "./test-files.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const [what] = process.argv.slice(2);
if (!existsSync("dist/index.cjs")) {
  console.error("nothing is built: run `npm run build` first");
  process.exit(1);
}

if (what === "apps") {
  runTests(APPS);
} else {
  const all = what === "all";
  step("npm", ["run", "--silent", "lint"]);
  step("npm", ["run", "--silent", "typecheck"]);
  if (all) step("cargo", ["test", "--quiet", "--locked", "-p", "openinference-mlflow-wasm"]);
  runTests([...QUICK, ...(all ? MORE : [])]);
  if (all) step("npm", ["run", "--silent", "check:package"]);
}

function runTests(files) {
  step(process.execPath, ["--test", "--test-concurrency=1", ...files.map((file) => `test/${file}`)]);
}

function step(command, args) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
