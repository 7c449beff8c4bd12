/** Faults of a real MLflow: experiments that are gone or never were, a server that stops and comes back. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { installFixtures } from "../matrix/fixtures.mjs";
import { app } from "../support/app.mjs";
import { mlflow, real } from "./servers.mjs";

before(installFixtures);

describe("an experiment", () => {
  test("whose id nobody knows: its spans are quarantined, with the reason", async () => {
    const { printed, stderr } = await app(
      real,
      `autolog({ experimentId: "987654321", flushTimeoutMillis: 60_000 }); span("a"); await flush(); print(stats());`,
    );
    assert.deepEqual(
      printed,
      [{ received: 1, delivered: 0, dropped: 0, filtered: 0, quarantined: 1, pending: 0 }],
      stderr,
    );
    assert.match(stderr, /experiment 987654321/);
  });

  for (const [named, options] of [
    ["id", (id) => `experimentId: "${id}"`],
    ["name", () => `experiment: "deleted-by-name"`],
  ]) {
    test(`that is deleted, named by its ${named}: nothing is written to it, and the way back is said`, async () => {
      const name = `deleted-by-${named}`;
      const id = await mlflow.createExperiment(name);
      await mlflow.deleteExperiment(id);
      const { printed, stderr } = await app(
        real,
        `autolog({ ${options(id)}, flushTimeoutMillis: 60_000 }); span("a"); await flush(); print(stats());`,
      );
      assert.deepEqual(
        printed,
        [{ received: 1, delivered: 0, dropped: 0, filtered: 0, quarantined: 1, pending: 0 }],
        stderr,
      );
      assert.match(stderr, /deleted/);
      assert.match(stderr, /restore/);
      await mlflow.restoreExperiment(id);
      assert.deepEqual(await mlflow.traces(name), []);
    });
  }
});

test("a run that nobody knows is named, and its trace is there", async () => {
  const { printed, stderr } = await app(
    real,
    `autolog({ experiment: "unknown-run", runId: "0123456789abcdef0123456789abcdef", flushTimeoutMillis: 60_000 });
     span("a"); await flush(); print(stats().delivered);`,
  );
  assert.deepEqual(printed, [1], stderr);
  assert.match(stderr, /run 0123456789abcdef0123456789abcdef does not exist on the MLflow server/);
  assert.equal((await mlflow.traces("unknown-run")).length, 1);
});

test("a server that stops while spans arrive, and comes back: every span is there, once", {
  timeout: 400_000,
}, async () => {
  let step = "running";
  const { code, printed, stderr } = await app(
    real,
    `const stay = setInterval(() => {}, 1000);
     autolog({ experiment: "restarted", flushTimeoutMillis: 120_000 });
     const signal = () => new Promise((resolve) => process.once("SIGUSR2", resolve));
     const make = async (name) => { for (let i = 0; i < 20; i++) { span(name + i); await sleep(20); } };
     span("first"); await flush();
     const stopped = signal(); print("stop"); await make("meanwhile"); await stopped;
     await make("without"); await flush({ timeoutMillis: 1_000 });
     const before = stats().pending;
     const back = signal(); print("start"); await back;
     await make("after"); await flush();
     print({ ...stats(), before });
     clearInterval(stay);`,
    {
      limitMillis: 300_000,
      async onStart(child, stdout) {
        if (step === "running" && stdout.includes("stop")) {
          step = "stopped";
          await mlflow.pause();
          child.kill("SIGUSR2");
        } else if (step === "stopped" && stdout.includes("start")) {
          step = "back";
          await mlflow.resume();
          child.kill("SIGUSR2");
        }
      },
    },
  );
  assert.equal(code, 0, stderr);
  const { before: pending, ...stats } = printed.at(-1);
  assert.ok(pending >= 20, "what was made without a server waits");
  assert.deepEqual(stats, { received: 61, delivered: 61, dropped: 0, filtered: 0, quarantined: 0, pending: 0 }, stderr);
  const spans = (await mlflow.traces("restarted")).flatMap((trace) => trace.spans);
  const wanted = ["meanwhile", "without", "after"].flatMap((name) => Array.from({ length: 20 }, (_, i) => name + i));
  assert.deepEqual(spans.map(({ name }) => name).sort(), [...wanted, "first"].sort());
});
