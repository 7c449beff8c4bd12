/** What npm publishes: the files that users read, nothing that is missing, and not too much of it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";

const host = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${host}package.json`, "utf8"));

/** Nearly all of it is WebAssembly, twice: as a module for edge runtimes and as text for everything else. */
const MOST_BYTES = 870_000;

let packed;
before(() => {
  const json = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: host,
    encoding: "utf8",
  });
  const parsed = JSON.parse(json);
  packed = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
});

test("the tarball is no larger than it must be", () => {
  assert.ok(packed.size <= MOST_BYTES, `${packed.size} bytes: find out why, or raise the limit on purpose`);
});

test("the licence, the changelog and the README are in it", () => {
  const files = packed.files.map(({ path }) => path);
  for (const file of ["LICENSE", "CHANGELOG.md", "README.md"]) assert.ok(files.includes(file), file);
});

test("every file that the manifest names is in it", () => {
  const files = packed.files.map(({ path }) => path);
  const named = JSON.stringify([manifest.main, manifest.module, manifest.types, manifest.exports]).match(
    /\.\/dist\/[\w./-]+/g,
  );
  assert.ok(named.length > 5);
  for (const file of named) assert.ok(files.includes(file.replace("./", "")), file);
});

test("the README names no file that is not in it", () => {
  const files = packed.files.map(({ path }) => path);
  const readme = readFileSync(`${host}README.md`, "utf8").replace(/^```.*?^```/gms, "");
  const linked = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
  const spoken = [...readme.matchAll(/[\w./-]+\.(?:md|mjs|cjs|ts|json)\b/g)].map(([name]) => name);
  for (const target of [...linked, ...spoken].filter((name) => !/^https?:/.test(name))) {
    assert.ok(files.includes(target.replace(/^\.\//, "")), target);
  }
});

test("npm's search and page have what they need", () => {
  assert.equal(manifest.license, "Apache-2.0");
  assert.ok(
    manifest.description && manifest.keywords.includes("mlflow") && manifest.keywords.includes("openinference"),
  );
});
