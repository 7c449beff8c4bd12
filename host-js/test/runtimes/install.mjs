/** The runtimes beside the one that runs the tests, as npm serves them for Linux on x64. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const installed = (path) => `${folder}node_modules/${path}`;

/** Commands that run a script, by name. */
export const runtimes = {
  "Node 18.19": [installed("node-18/bin/node")],
  "Node 22": [installed("node-22/bin/node")],
  "Node 24": [installed("node-24/bin/node")],
  Bun: [installed("bun/bin/bun")],
  Deno: [installed("deno/deno"), "run", "--allow-all", "--quiet"],
};

/** Runs no script but a configuration. */
export const workerd = installed("workerd/bin/workerd");

export function installRuntimes() {
  if (!existsSync(workerd)) execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "pipe" });
}
