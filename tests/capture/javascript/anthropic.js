/** Captures `@arizeai/openinference-instrumentation-anthropic`: `js_anthropic_<scenario>.pb`. */

import "./network-guard.js";

import Anthropic from "@anthropic-ai/sdk";
import { AnthropicInstrumentation } from "@arizeai/openinference-instrumentation-anthropic";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const COMMON = { model: "claude-sonnet-5-5", max_tokens: 256 };
const TOOLS = [{ name: prompts.TOOL, description: prompts.TOOL_DESCRIPTION, input_schema: prompts.TOOL_SCHEMA }];

const client = (api) => new Anthropic({ apiKey: "not-a-real-key", baseURL: api.url, maxRetries: 0 });

const conversation = (api) =>
  api.answering(["anthropic/message.json"], () =>
    client(api).messages.create({
      ...COMMON,
      system: prompts.SYSTEM,
      messages: [
        { role: "user", content: prompts.FIRST_QUESTION },
        { role: "assistant", content: prompts.FIRST_ANSWER },
        { role: "user", content: [{ type: "text", text: prompts.SECOND_QUESTION }] },
      ],
    }),
  );

/** The model asks for two tools at once; both answer, one of them with an error. */
const tool_result = (api) =>
  api.answering(["anthropic/tool_use.json", "anthropic/tool_result.json"], async () => {
    const messages = [{ role: "user", content: prompts.WEATHER_QUESTION }];
    const first = await client(api).messages.create({ ...COMMON, messages, tools: TOOLS });
    const [one, two] = first.content.filter(({ type }) => type === "tool_use");
    const failure = [{ type: "text", text: "no station there" }];
    const results = [
      { type: "tool_result", tool_use_id: one.id, content: prompts.WEATHER },
      { type: "tool_result", tool_use_id: two.id, is_error: true, content: failure },
    ];
    messages.push({ role: "assistant", content: first.content }, { role: "user", content: results });
    await client(api).messages.create({ ...COMMON, messages, tools: TOOLS });
  });

const streaming = (api) =>
  api.answering(["anthropic/tool_use.sse"], async () => {
    const messages = [{ role: "user", content: prompts.WEATHER_QUESTION }];
    const system = [{ type: "text", text: prompts.SYSTEM }];
    const stream = await client(api).messages.create({ ...COMMON, system, messages, tools: TOOLS, stream: true });
    for await (const _ of stream);
  });

const thinking = (api) =>
  api.answering(["anthropic/thinking.json"], () =>
    client(api).messages.create({
      ...COMMON,
      max_tokens: 2048,
      thinking: { type: "enabled", budget_tokens: 1024 },
      messages: [{ role: "user", content: "On which ocean does Lisbon lie?" }],
    }),
  );

const image = (api) =>
  api.answering(["anthropic/image.json"], () => {
    const source = { type: "base64", media_type: "image/png", data: prompts.IMAGE_BASE64 };
    const content = [
      { type: "image", source },
      { type: "text", text: prompts.IMAGE_QUESTION },
    ];
    return client(api).messages.create({ ...COMMON, messages: [{ role: "user", content }] });
  });

await record({
  instrumentor: "anthropic",
  packages: ["@arizeai/openinference-instrumentation-anthropic", "@anthropic-ai/sdk"],
  instrument: (tracerProvider) => new AnthropicInstrumentation({ tracerProvider }).manuallyInstrument(Anthropic),
  scenarios: { conversation, tool_result, streaming, thinking, image },
});
