/** Model clients with an OpenInference instrumentation each, alone and with Phoenix. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { setUps } from "../set-ups.mjs";
import { CHAT_TEXT, CLAUDE_TEXT, NOVA_TEXT, STREAM_PIECES, TOOL_ARGUMENTS } from "./models.mjs";
import { assertBothHold, runApplication } from "./servers.mjs";

const source = readFileSync(new URL("app/app.mjs", import.meta.url), "utf8");
const content = (span) => span.attributes["mlflow.spanOutputs"]?.choices?.[0]?.message;
const isOpenAi = (span) => span.name === "OpenAI Chat Completions";
const text = (span) => JSON.stringify(span.attributes);

const [application] = setUps("e2e/e2e.test.mjs");

describe(`an application with ${application.name}`, () => {
  let result;
  let spans;
  before(async () => {
    result = await runApplication("app", source, "e2e");
    spans = result.spans;
  });

  test("has every span in MLflow, and none twice", () => {
    assert.equal(spans.length, result.stats.received);
    assert.equal(new Set(spans.map((span) => span.span_id)).size, spans.length);
  });

  test("has the chat below the agent, with type, messages, model, tokens, session and user", () => {
    const { info, spans: nested } = result.traces.find((trace) => trace.spans.some(({ name }) => name === "answer"));
    const agent = nested.find(({ name }) => name === "answer");
    const chat = nested.find(isOpenAi);
    assert.equal(nested.length, 2);
    assert.equal(chat.parent_span_id, agent.span_id);
    assert.equal(agent.attributes["mlflow.spanType"], "AGENT");
    assert.equal(chat.attributes["mlflow.spanType"], "LLM");
    assert.equal(content(chat).content, CHAT_TEXT);
    assert.equal(chat.attributes["mlflow.llm.model"], "gpt-4o-mini");
    const usage = { input_tokens: 21, output_tokens: 8, total_tokens: 29 };
    assert.deepEqual(chat.attributes["mlflow.chat.tokenUsage"], usage);
    assert.equal(info.state, "OK");
    assert.equal(info.trace_metadata["mlflow.trace.session"], "s-1");
    assert.equal(info.trace_metadata["mlflow.trace.user"], "u-1");
    assert.deepEqual(JSON.parse(info.trace_metadata["mlflow.trace.tokenUsage"]), usage);
  });

  test("has the tool call, the stream, the embedding, Claude's answer and LangChain's chain", () => {
    assert.ok(spans.some((span) => isOpenAi(span) && text(span).includes(JSON.stringify(TOOL_ARGUMENTS))));
    assert.ok(spans.some((span) => isOpenAi(span) && text(span).includes(STREAM_PIECES.join(""))));
    assert.ok(spans.some((span) => span.attributes["mlflow.spanType"] === "EMBEDDING"));
    assert.ok(spans.some((span) => text(span).includes(CLAUDE_TEXT)));
    const chain = spans.find((span) => span.attributes["mlflow.spanType"] === "CHAIN");
    assert.ok(spans.some((span) => span.parent_span_id === chain.span_id));
  });

  test("has Bedrock's conversation with its tool and tokens, and the model that was invoked", () => {
    const nova = spans.find((span) => text(span).includes(NOVA_TEXT));
    assert.equal(nova.attributes["mlflow.spanType"], "LLM");
    // The instrumentation takes the vendor off.
    assert.equal(nova.attributes["mlflow.llm.model"], "nova-lite-v1:0");
    const usage = { input_tokens: 31, output_tokens: 9, total_tokens: 40 };
    assert.deepEqual(nova.attributes["mlflow.chat.tokenUsage"], usage);
    assert.match(JSON.stringify(nova.attributes["mlflow.spanInputs"]), /What is the capital of France/);
    assert.match(JSON.stringify(nova.attributes["mlflow.spanOutputs"]), /get_weather/);
    const claude = spans.find((span) => text(span).includes("claude-3-haiku"));
    assert.ok(text(claude).includes(CLAUDE_TEXT));
    assert.deepEqual(claude.attributes["mlflow.chat.tokenUsage"].total_tokens, 18);
  });
});

describe("a real Phoenix beside MLflow", () => {
  for (const order of ["before", "after"]) {
    test(`registered ${order} autolog(): both hold everything`, async () => {
      const { spans } = await runApplication("app", source, `phoenix-${order}`, { env: { PHOENIX: order } });
      assert.ok(spans.length > 8);
      await assertBothHold(spans, `phoenix-${order}`);
    });
  }
});

test("OPENINFERENCE_HIDE_INPUTS and _OUTPUTS hold in MLflow, though the instrumentations were made without a traceConfig", async () => {
  const env = { OPENINFERENCE_HIDE_INPUTS: "true", OPENINFERENCE_HIDE_OUTPUTS: "true" };
  const { traces, spans } = await runApplication("app", source, "hidden", { env });
  const inputs = spans.map((span) => span.attributes["input.value"]).filter((input) => input !== undefined);
  assert.ok(inputs.length > 5);
  assert.deepEqual(new Set(inputs), new Set(["__REDACTED__"]));
  // The template of a prompt is neither: "Tell me about {topic}" stays.
  for (const secret of ["What is the capital", "Tell me about France", CHAT_TEXT, CLAUDE_TEXT, NOVA_TEXT]) {
    const keys = spans.flatMap(({ attributes }) => Object.entries(attributes).filter((entry) => leaks(entry, secret)));
    assert.deepEqual(keys, [], secret);
    assert.equal(JSON.stringify(traces.map(({ info }) => info)).includes(secret), false, `${secret} in a preview`);
  }
});

function leaks([, value], secret) {
  return JSON.stringify(value).includes(secret);
}
