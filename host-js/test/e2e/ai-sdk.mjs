/** The AI SDK, whose spans `@arizeai/openinference-vercel` translates in its own processor: both versions in use. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { installRuntimes, runtimes } from "../runtimes/install.mjs";
import { CHAT_TEXT, STREAM_PIECES } from "./models.mjs";
import { assertBothHold, runApplication } from "./servers.mjs";

/** AI SDK 7 needs Node 22. */
const VERSIONS = [
  ["ai-sdk-6", process.execPath],
  ["ai-sdk-7", runtimes["Node 24"][0]],
];

before(installRuntimes);

for (const [application, node] of VERSIONS) {
  describe(application, () => {
    for (const order of ["before", "after"]) {
      test(`with Phoenix's processor, registered ${order} autolog(): both hold everything, as OpenInference`, async () => {
        const name = `${application}-${order}`;
        const { spans, stats } = await runApplication(application, name, { node, env: { PHOENIX: order } });
        assert.equal(spans.length, stats.received);
        await assertBothHold(spans, name);
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
      const { spans, traces, stats } = await runApplication(application, `${application}-alone`, { node });
      assert.equal(spans.length, stats.received);
      assert.equal(traces.length, 4);
      for (const trace of traces) assert.equal(trace.spans.filter((span) => !span.parent_span_id).length, 1);
      assert.ok(spans.some((span) => JSON.stringify(span.attributes).includes(CHAT_TEXT)));
    });
  });
}
