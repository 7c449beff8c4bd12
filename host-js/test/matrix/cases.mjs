/** One case of the matrix: an application that starts up in some order, and what MLflow must have of it. */

import assert from "node:assert/strict";
import { run } from "../support/run.mjs";
import { fixturePath } from "./fixtures.mjs";

/** @param runtime the command that runs a file, Node by default */
export async function runCase({ fixture, provider, module, steps }, trackingUri, runtime = [process.execPath]) {
  const [command, ...args] = runtime;
  // In this fixture the instrumentation has a copy of the API of its own, as nested installations have.
  const instrumentationApi = fixture === "two-apis" ? "instrumentation-with-its-own-api" : undefined;
  const ended = await run(command, [...args, `node_modules/.cases/case.${module}`], {
    cwd: fixturePath(fixture),
    env: { SCENARIO: JSON.stringify({ steps, provider, instrumentationApi }), MLFLOW_TRACKING_URI: trackingUri },
  });
  assert.equal(ended.code, 0, ended.stderr);
  return { calls: JSON.parse(ended.stdout), stderr: ended.stderr };
}

/** `name below parent`, sorted; a parent that MLflow does not have is `none`, as are traces apart. */
export function shape(spans) {
  const byId = new Map(spans.map((span) => [`${span.traceId} ${span.spanId}`, span.name]));
  return spans.map((span) => `${span.name} below ${byId.get(`${span.traceId} ${span.parentSpanId}`) ?? "none"}`).sort();
}

/** Names of the spans that MLflow must have, without their children. */
function wantedFamilies(provider, steps) {
  const before = (a, b) => steps.indexOf(a) < steps.indexOf(b);
  // Phoenix's register() orphans tracers that were made before it; after that no later autolog can reach them.
  // A foreign provider shows its tracers only as it hands them out: when they are asked for, or, to a tracer that was
  // there before it, when that makes its next span.
  const handedOut = before("P", "I") ? "I" : "S";
  const lost =
    (provider === "phoenix" && before("I", "P") && before("P", "A")) ||
    (provider === "foreign" && before("P", handedOut) && before(handedOut, "A"));
  const first = before("A", "S") && !lost ? ["first"] : [];
  return [...first, ...(lost ? [] : ["later"]), "fresh"];
}

/** `name below parent` of families and their children. */
export function wantedShape(provider, steps) {
  return wantedFamilies(provider, steps)
    .flatMap((family) => {
      // A provider without a context manager knows no parents; until it is registered, ours does.
      const beforeProvider = family === "first" && steps.indexOf("S") < steps.indexOf("P");
      const nested = provider !== "plain" || beforeProvider;
      return [`${family} below none`, `${family}-child below ${nested ? family : "none"}`];
    })
    .sort();
}
