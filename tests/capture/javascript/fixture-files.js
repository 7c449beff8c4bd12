/** Writes payloads into `fixtures/otlp/` and their entries into `manifest.json`, in the form of `fixture_files.py`. */

import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/otlp");
const MANIFEST = path.join(FOLDER, "manifest.json");

/** `entries`: file name → `{ body, known }`, where `known` is the manifest's entry. */
export async function write(entries) {
  for (const [name, { body }] of Object.entries(entries)) await writeFile(path.join(FOLDER, name), body);
  const present = new Set(await readdir(FOLDER));
  const manifest = JSON.parse(await readFile(MANIFEST, "utf8"));
  for (const [name, { known }] of Object.entries(entries)) manifest[name] = known;
  const names = Object.keys(manifest)
    .sort()
    .filter((name) => present.has(name));
  const kept = Object.fromEntries(names.map((name) => [name, manifest[name]]));
  await writeFile(MANIFEST, `${JSON.stringify(kept, null, 1)}\n`);
}

/** The day of capture: `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/) or now. */
export function today() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const moment = epoch ? new Date(Number(epoch) * 1000) : new Date();
  return moment.toISOString().slice(0, 10);
}
