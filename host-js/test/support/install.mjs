/** Puts packages into the folders of tests: those of a lock file from npm, and this package as it was built. */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const host = fileURLToPath(new URL("../..", import.meta.url));

/** Installs what the folder's lock file names, and this package. */
export function install(folder) {
  installLocked(folder);
  installPackage(folder);
}

/** Installs what the folder's lock file names, unless that was done. */
export function installLocked(folder) {
  const lock = readFileSync(`${folder}/package-lock.json`, "utf8");
  const stamp = `${folder}/node_modules/.installed-lock.json`;
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder, stdio: "pipe" });
    writeFileSync(stamp, lock);
  }
}

/** Puts this package into the folder's `node_modules`. */
function installPackage(folder) {
  const installed = `${folder}/node_modules/openinference-mlflow`;
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  cpSync(`${host}/package.json`, `${installed}/package.json`);
  cpSync(`${host}/dist`, `${installed}/dist`, { recursive: true });
}
