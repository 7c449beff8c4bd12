/** `docs/node-environments.md` names every set-up that the tests have, with its versions, and no other. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { APPS, MORE, QUICK } from "../scripts/test-files.mjs";
import { allSetUps, versions } from "./set-ups.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const page = new URL("../../docs/node-environments.md", import.meta.url);

/** The sections of the page, one for each kind of set-up. */
function sections() {
  return [...byKind(allSetUps())].map(
    ([kind, setUps]) => `## ${kind}\n\n| Set-up | Versions | Test |\n|---|---|---|\n${rows(setUps)}`,
  );
}

function byKind(setUps) {
  const kinds = new Map();
  for (const setUp of setUps) kinds.set(setUp.kind, [...(kinds.get(setUp.kind) ?? []), setUp]);
  return kinds;
}

function rows(setUps) {
  return setUps
    .map((setUp) => {
      const numbers = versions(setUp).map(([label, version]) => `${label} ${version}`);
      const command = APPS.includes(setUp.test) ? " (`make apps`)" : "";
      return `| ${setUp.name} | ${numbers.join(", ")} | [${setUp.test}](../host-js/test/${setUp.test})${command} |\n`;
    })
    .join("");
}

test("the page names every set-up with its versions and its test, and no other", () => {
  const text = readFileSync(page, "utf8");
  const [before] = text.split(/^## /m);
  const wanted = `${before}${sections().join("\n")}`;
  if (process.env.UPDATE_EXPECT) writeFileSync(page, wanted);
  assert.equal(readFileSync(page, "utf8"), wanted, "UPDATE_EXPECT=1 writes the page anew");
});

test("no two set-ups have the same name and test", () => {
  const names = allSetUps().map(({ name, test }) => `${test} ${name}`);
  assert.deepEqual(names, [...new Set(names)]);
});

test("every test file with set-ups takes them from the list, and is run by a command", () => {
  for (const file of new Set(allSetUps().map((setUp) => setUp.test))) {
    assert.ok([...QUICK, ...MORE, ...APPS].includes(file), `scripts/test-files.mjs does not have ${file}`);
    // Several files that share servers are one test file.
    const source = folder + (file === "e2e/e2e.test.mjs" ? "e2e/applications.mjs" : file);
    assert.match(readFileSync(source, "utf8"), /\bsetUps\("/, file);
  }
});

test("every command's list has every test file", () => {
  const found = files("").filter((path) => path.endsWith(".test.mjs"));
  assert.deepEqual([...QUICK, ...MORE, ...APPS].sort(), found.sort());
});

test("every folder of packages belongs to a set-up", () => {
  const used = new Set(allSetUps().map(({ folder }) => folder));
  const found = files("").filter((path) => path.endsWith("/package-lock.json"));
  assert.ok(found.length > 10);
  assert.deepEqual(
    found.filter((path) => !used.has(dirname(path))),
    [],
  );
});

/** Every file below a folder of the tests, without what was installed or built. */
function files(path) {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) return [];
    const inside = join(path, entry.name);
    return entry.isDirectory() ? files(inside) : [inside];
  });
}
