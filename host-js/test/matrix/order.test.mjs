/**
 * Every order of {autolog, instrumentation, provider, first span} × every kind of provider × both module systems.
 *
 * Each case is a process. It runs once with autolog and once without: the user's span processor must get the same calls,
 * and MLflow must get every span that ended after `autolog()` once, below the parent that the application gave it.
 */

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { setUps } from "../set-ups.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { runCase, shape, wantedShape } from "./cases.mjs";
import { installFixtures } from "./fixtures.mjs";

/** Kind of provider in `scenario.cjs`, by set-up. */
const PROVIDERS = {
  "no provider": "none",
  "no provider, API 1.10": "none",
  "no provider, two copies of the API": "none",
  "`NodeTracerProvider` of SDK 1.30": "node",
  "`addSpanProcessor` of SDK 1.30": "nodeAdd",
  "SDK 1.30 behind another object": "facade",
  "`NodeTracerProvider` of SDK 2.0": "node",
  "`NodeTracerProvider` of SDK 2.12": "node",
  "SDK 2.12 without a context manager": "plain",
  "SDK 2.12 behind another object": "facade",
  "a provider that is no SDK": "foreign",
  "SDK 2.12 and two copies of the API": "node",
  "SDK 3": "sdk3",
  "`NodeSDK` 0.57": "nodeSdk",
  "`NodeSDK` 0.301": "nodeSdk",
  "`@arizeai/phoenix-otel`": "phoenix",
  "`@vercel/otel`": "vercel",
};

const MODULES = ["cjs", "mjs"];

/** A span needs its instrumentation; everything else may come in any order. */
const ORDERS = permutations(["A", "I", "P", "S"]).filter((order) => order.indexOf("I") < order.indexOf("S"));
const concurrency = 2;

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

const references = new Map();

/** The calls of the user's processor without autolog. */
function reference(fixture, provider, module, steps) {
  const without = steps.replace("A", "");
  const key = [fixture, provider, module, without].join(" ");
  if (!references.has(key))
    references.set(key, runCase({ fixture, provider, module, steps: without }, mock.uri("none")));
  return references.get(key);
}

for (const { name: setUp, folder } of setUps("matrix/order.test.mjs")) {
  const [fixture, provider] = [basename(folder), PROVIDERS[setUp]];
  describe(setUp, { concurrency }, () => {
    for (const module of MODULES) {
      for (const steps of ORDERS.map((order) => order.join(""))) {
        if (provider === "none" && steps.indexOf("P") !== steps.length - 1) continue;
        test(`${module} ${steps}`, async () => {
          const name = [fixture, provider, module, steps].join("-");
          const [withUs, without] = await Promise.all([
            runCase({ fixture, provider, module, steps }, mock.uri(name)),
            reference(fixture, provider, module, steps),
          ]);
          assert.deepEqual(withUs.calls, without.calls, "the user's processor gets the calls it gets without us");
          assert.equal(withUs.stderr, without.stderr, "nothing is printed");

          assert.deepEqual(shape(mock.spans(name)), wantedShape(provider, steps), "MLflow has each span once");
        });
      }
    }
  });
}

function permutations(items) {
  if (items.length <= 1) return [items];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
