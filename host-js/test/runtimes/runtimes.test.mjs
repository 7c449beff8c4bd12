/** The oldest Node that is supported, the newer ones, Bun and Deno: the same cases as the order matrix, a few of them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCase, shape, wantedShape } from "../matrix/cases.mjs";
import { installFixtures } from "../matrix/fixtures.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const installed = (path) => `${folder}node_modules/${path}`;

const RUNTIMES = {
  "Node 18.19": [installed("node-18/bin/node")],
  "Node 22": [installed("node-22/bin/node")],
  "Node 24": [installed("node-24/bin/node")],
  Bun: [installed("bun/bin/bun")],
  Deno: [installed("deno/deno"), "run", "--allow-all", "--quiet"],
};

const CASES = [
  ["sdk-2.12", "node", "AIPS"],
  ["sdk-2.12", "node", "PIAS"],
  ["sdk-2.12", "none", "IASP"],
  ["sdk-3", "sdk3", "AIPS"],
  ["sdk-3", "none", "AISP"],
];

let mock;
before(async () => {
  if (!existsSync(installed("bun"))) execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "pipe" });
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

for (const [name, runtime] of Object.entries(RUNTIMES)) {
  describe(name, { concurrency: 2 }, () => {
    for (const [fixture, provider, steps] of CASES) {
      // SDK 3 itself needs Node 20.
      if (name === "Node 18.19" && fixture === "sdk-3") continue;
      for (const module of ["cjs", "mjs"]) {
        test(`${fixture}, ${provider}, ${module} ${steps}`, async () => {
          const application = [name, fixture, provider, module, steps].join("-").replaceAll(" ", "");
          const { calls } = await runCase({ fixture, provider, module, steps }, mock.uri(application), runtime);
          assert.deepEqual(shape(mock.spans(application)), wantedShape(provider, steps));
          assert.equal(calls.includes("shutdown"), provider !== "none", "the user's processor is served, too");
        });
      }
    }
  });
}
