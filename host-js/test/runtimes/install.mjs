/** The runtimes beside the one that runs the tests, as npm serves them for Linux on x64. */

import { fileURLToPath } from "node:url";
import { installLocked } from "../support/install.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const installed = (path) => `${folder}node_modules/${path}`;

/** Commands that run a script, by name. */
export const runtimes = {
  "Node 18.19": [installed("node-18/bin/node")],
  "Node 20": [installed("node-20/bin/node")],
  "Node 22": [installed("node-22/bin/node")],
  "Node 24": [installed("node-24/bin/node")],
  Bun: [installed("bun/bin/bun")],
  Deno: [installed("deno/deno"), "run", "--allow-all", "--quiet"],
};

/** Runs no script but a configuration. */
export const workerd = installed("workerd/bin/workerd");

export function installRuntimes() {
  installLocked(folder);
}
