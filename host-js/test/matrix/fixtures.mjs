/** Applications with one combination of OpenTelemetry packages each, installed from their lock files. */

import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { install } from "../support/install.mjs";

const folder = fileURLToPath(new URL("./fixtures", import.meta.url));

export function fixturePath(name) {
  return `${folder}/${name}`;
}

/** Installs what is missing or outdated, and puts the package as it was built and the case files into each. */
export function installFixtures() {
  for (const name of readdirSync(folder)) {
    const path = fixturePath(name);
    install(path);
    const cases = `${path}/node_modules/.cases`;
    mkdirSync(cases, { recursive: true });
    for (const file of ["scenario.cjs", "case.cjs", "case.mjs"]) {
      cpSync(fileURLToPath(new URL(file, import.meta.url)), `${cases}/${file}`);
    }
  }
}
