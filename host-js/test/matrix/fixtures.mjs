/** Applications with one combination of OpenTelemetry packages each, installed from their lock files. */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const host = fileURLToPath(new URL("../..", import.meta.url));
const folder = fileURLToPath(new URL("./fixtures", import.meta.url));

export function fixturePath(name) {
  return `${folder}/${name}`;
}

/** Puts the package as it was built into a folder's `node_modules`. */
export function installPackage(path) {
  const installed = `${path}/node_modules/openinference-mlflow`;
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed);
  cpSync(`${host}/package.json`, `${installed}/package.json`);
  cpSync(`${host}/dist`, `${installed}/dist`, { recursive: true });
}

/** Installs what is missing or outdated, and puts the package as it was built and the case files into each. */
export function installFixtures() {
  for (const name of readdirSync(folder)) {
    const path = fixturePath(name);
    const lock = readFileSync(`${path}/package-lock.json`, "utf8");
    const stamp = `${path}/node_modules/.installed-lock.json`;
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
      execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: path, stdio: "pipe" });
      writeFileSync(stamp, lock);
    }
    installPackage(path);
    const cases = `${path}/node_modules/.cases`;
    mkdirSync(cases, { recursive: true });
    for (const file of ["scenario.cjs", "case.cjs", "case.mjs"]) {
      cpSync(fileURLToPath(new URL(file, import.meta.url)), `${cases}/${file}`);
    }
  }
}
