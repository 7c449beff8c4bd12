/** Captures `@arizeai/openinference-instrumentation-openai`: `js_openai_<scenario>.pb`. */

import "./network-guard.js";

import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import OpenAI from "openai";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const MODEL = "gpt-4o-mini";
const FUNCTION = { name: prompts.TOOL, description: prompts.TOOL_DESCRIPTION, parameters: prompts.TOOL_SCHEMA };
const CHAT_TOOLS = [{ type: "function", function: FUNCTION }];
const RESPONSES_TOOLS = [{ type: "function", strict: false, ...FUNCTION }];

const client = (api) => new OpenAI({ apiKey: "not-a-real-key", baseURL: `${api.url}/v1`, maxRetries: 0 });

/** The system message in the role that newer models call it by. */
const conversation = (api) =>
  api.answering(["openai/chat.json"], () =>
    client(api).chat.completions.create({
      model: MODEL,
      messages: [
        { role: "developer", content: prompts.SYSTEM },
        { role: "user", content: prompts.FIRST_QUESTION },
        { role: "assistant", content: prompts.FIRST_ANSWER },
        { role: "user", content: prompts.SECOND_QUESTION },
      ],
    }),
  );

const parallel_tools = (api) =>
  api.answering(["openai/tool_calls.json", "openai/tool_result.json"], async () => {
    const messages = [{ role: "user", content: prompts.WEATHER_QUESTION }];
    const first = await client(api).chat.completions.create({ model: MODEL, messages, tools: CHAT_TOOLS });
    const reply = first.choices[0].message;
    const results = reply.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: prompts.WEATHER }));
    messages.push(reply, ...results);
    await client(api).chat.completions.create({ model: MODEL, messages, tools: CHAT_TOOLS });
  });

const streamed_tool_call = (api) =>
  api.answering(["openai/tool_call.sse"], async () => {
    const stream = await client(api).chat.completions.create({
      model: MODEL,
      messages: [
        { role: "system", content: prompts.SYSTEM },
        { role: "user", content: prompts.WEATHER_QUESTION },
      ],
      tools: CHAT_TOOLS,
      stream: true,
      stream_options: { include_usage: true },
    });
    await drain(stream);
  });

const image = (api) =>
  api.answering(["openai/image.json"], () => {
    const content = [
      { type: "text", text: prompts.IMAGE_QUESTION },
      { type: "image_url", image_url: { url: prompts.IMAGE_URL, detail: "low" } },
    ];
    return client(api).chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] });
  });

const responses_conversation = (api) =>
  api.answering(["openai/response.json"], () =>
    client(api).responses.create({
      model: MODEL,
      instructions: prompts.SYSTEM,
      input: [
        { role: "user", content: prompts.FIRST_QUESTION },
        { role: "assistant", content: prompts.FIRST_ANSWER },
        { role: "user", content: [{ type: "input_text", text: prompts.SECOND_QUESTION }] },
      ],
    }),
  );

/** The model reasons, calls a tool and is told its result. */
const responses_tool_result = (api) =>
  api.answering(["openai/response_tool_call.json", "openai/response_tool_result.json"], async () => {
    const input = [{ role: "user", content: prompts.WEATHER_QUESTION }];
    const first = await client(api).responses.create({ model: MODEL, input, tools: RESPONSES_TOOLS });
    input.push(...first.output, { type: "function_call_output", call_id: "call_1", output: prompts.WEATHER });
    await client(api).responses.create({ model: MODEL, input, tools: RESPONSES_TOOLS });
  });

const responses_streaming = (api) =>
  api.answering(["openai/response.sse"], async () => {
    await drain(await client(api).responses.create({ model: MODEL, input: prompts.FIRST_QUESTION, stream: true }));
  });

async function drain(stream) {
  for await (const _ of stream);
}

await record({
  instrumentor: "openai",
  packages: ["@arizeai/openinference-instrumentation-openai", "openai"],
  instrument: (tracerProvider) => new OpenAIInstrumentation({ tracerProvider }).manuallyInstrument(OpenAI),
  scenarios: {
    conversation,
    parallel_tools,
    streamed_tool_call,
    image,
    responses_conversation,
    responses_tool_result,
    responses_streaming,
  },
});
