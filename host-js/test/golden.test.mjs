/**
 * The golden pairs of all hosts: the WebAssembly of this package translates every fixture to the same bytes. It has no
 * reader of JSON, so those are not among them.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { test } from "node:test";
import { initSync, translate } from "../src/generated/translator.js";

const tests = new URL("../../tests/", import.meta.url);
initSync({ module: readFileSync(new URL("../dist/translator.wasm", import.meta.url)) });

/** As `tests/src/fixtures.rs` finds and names them. */
const fixtures = readdirSync(new URL("fixtures/otlp", tests), { recursive: true })
  .filter((path) => extname(path) === ".pb")
  .map((path) => ({ name: basename(path, ".pb"), body: readFileSync(new URL(`fixtures/otlp/${path}`, tests)) }));

test("there are as many fixtures as goldens", () => {
  const names = readdirSync(new URL("golden", tests)).map((file) => basename(file, ".json"));
  const goldens = names.filter((name) => !name.endsWith("-json"));
  assert.deepEqual(fixtures.map(({ name }) => name).sort(), goldens.sort());
});

for (const { name, body } of fixtures) {
  test(`${name} is translated to the bytes of its golden`, () => {
    const golden = JSON.parse(readFileSync(new URL(`golden/${name}.json`, tests), "utf8"));
    if (golden.malformed) {
      assert.throws(() => translate(body), { message: golden.malformed });
    } else {
      const payload = translate(body);
      assert.equal(createHash("sha256").update(payload).digest("hex"), golden.sha256);
    }
  });
}
