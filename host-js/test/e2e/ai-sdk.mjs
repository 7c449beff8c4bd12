/** The AI SDK, whose spans `@arizeai/openinference-vercel` translates in its own processor: the versions in use. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { before, describe, test } from "node:test";
import { installRuntimes, runtimes } from "../runtimes/install.mjs";
import { setUps } from "../set-ups.mjs";
import { examples, replaced } from "../support/docs.mjs";
import { CHAT_TEXT, STREAM_PIECES } from "./models.mjs";
import { assertBothHold, runApplication } from "./servers.mjs";

const source = readFileSync(new URL("ai-sdk-app.mjs", import.meta.url), "utf8");

/** The example of the page, with an end that prints its counters. */
function example(name) {
  const [code] = examples(name === "AI SDK 7" ? "AI SDK 7" : "AI SDK 5 and 6");
  const quiet = replaced(code, 'autolog({ experiment: "my-agent" })', "autolog({ flushTimeoutMillis: 100_000 })");
  return `${quiet}
    import { flush, stats } from "openinference-mlflow";
    await flush();
    process.stdout.write(JSON.stringify(stats()));`;
}

before(installRuntimes);

for (const { name, folder } of setUps("e2e/e2e.test.mjs").filter(({ name }) => name.startsWith("AI SDK"))) {
  const packages = basename(folder);
  // AI SDK 7 needs Node 22.
  const node = name === "AI SDK 7" ? runtimes["Node 24"][0] : process.execPath;
  describe(name, () => {
    for (const order of ["before", "after"]) {
      test(`with Phoenix's processor, registered ${order} autolog(): both hold everything, as OpenInference`, async () => {
        const project = `${packages}-${order}`;
        const { spans, stats } = await runApplication(packages, source, project, { node, env: { PHOENIX: order } });
        assert.equal(spans.length, stats.received);
        await assertBothHold(spans, project);
        const types = new Set(spans.map((span) => span.attributes["mlflow.spanType"]));
        for (const type of ["LLM", "TOOL", "EMBEDDING"]) assert.ok(types.has(type), `${type} in ${[...types]}`);
        const models = spans.filter((span) => span.attributes["mlflow.spanType"] === "LLM");
        assert.ok(models.some((span) => JSON.stringify(span.attributes["mlflow.spanOutputs"]).includes(CHAT_TEXT)));
        const streamed = STREAM_PIECES.join("");
        assert.ok(models.some((span) => JSON.stringify(span.attributes["mlflow.spanOutputs"]).includes(streamed)));
        assert.ok(models.some((span) => span.attributes["mlflow.chat.tokenUsage"]?.total_tokens === 29));
      });
    }

    test("with autolog() alone: every span, in whole traces", async () => {
      const { spans, traces, stats } = await runApplication(packages, source, `${packages}-alone`, { node });
      assert.equal(spans.length, stats.received);
      assert.equal(traces.length, 4);
      for (const trace of traces) assert.equal(trace.spans.filter((span) => !span.parent_span_id).length, 1);
      assert.ok(spans.some((span) => JSON.stringify(span.attributes).includes(CHAT_TEXT)));
    });

    test("with the page's example: one trace, with the model's answer and tokens", async () => {
      const { spans, traces } = await runApplication(packages, example(name), `${packages}-example`, { node });
      assert.equal(traces.length, 1);
      const model = spans.find((span) => span.attributes["mlflow.chat.tokenUsage"]?.total_tokens === 29);
      assert.ok(JSON.stringify(model?.attributes["mlflow.spanOutputs"] ?? null).includes(CHAT_TEXT));
    });
  });
}
