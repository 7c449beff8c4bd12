/** The oldest Node that is supported, the newer ones, Bun and Deno: the same cases as the order matrix, a few of them. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { runCase, shape, wantedShape } from "../matrix/cases.mjs";
import { installFixtures } from "../matrix/fixtures.mjs";
import { setUps } from "../set-ups.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { installRuntimes, runtimes } from "./install.mjs";

const CASES = [
  ["sdk-2.12", "node", "AIPS"],
  ["sdk-2.12", "node", "PIAS"],
  ["sdk-2.12", "none", "IASP"],
  ["sdk-3", "sdk3", "AIPS"],
  ["sdk-3", "none", "AISP"],
];

let mock;
before(async () => {
  installRuntimes();
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

for (const { name } of setUps("runtimes/runtimes.test.mjs")) {
  const runtime = runtimes[name];
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
