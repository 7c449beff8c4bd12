/** Applications that tests build: each in a folder of its own outside of the sources, with its packages. */

import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { install } from "../support/install.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Copies the files of these folders, of which the first has the lock file, and installs. Returns the folder. */
export function prepare(name, ...more) {
  const work = `${here}.work/${name}`;
  mkdirSync(work, { recursive: true });
  // Packages stay: they take minutes.
  for (const entry of readdirSync(work)) {
    if (entry !== "node_modules") rmSync(`${work}/${entry}`, { recursive: true, force: true });
  }
  for (const folder of [name, ...more]) cpSync(`${here}${folder}`, work, { recursive: true });
  install(work);
  return work;
}
