/** Captures the AI SDK through `@arizeai/openinference-vercel`'s span processor: `js_ai_sdk_<scenario>.pb`. */

import "./network-guard.js";

import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OpenInferenceSimpleSpanProcessor } from "@arizeai/openinference-vercel";
import { embedMany, generateText, isStepCount, jsonSchema, registerTelemetry, streamText, tool } from "ai";

import * as prompts from "./prompts.js";
import { record } from "./recorder.js";

const provider = (api) => createOpenAI({ apiKey: "not-a-real-key", baseURL: `${api.url}/v1` });
const chat = (api) => ({ model: provider(api).chat("gpt-4o-mini"), maxRetries: 0 });

const conversation = (api) =>
  api.answering(["openai/chat.json"], () =>
    generateText({
      ...chat(api),
      system: prompts.SYSTEM,
      temperature: 0.2,
      messages: [
        { role: "user", content: prompts.FIRST_QUESTION },
        { role: "assistant", content: prompts.FIRST_ANSWER },
        { role: "user", content: prompts.SECOND_QUESTION },
      ],
      telemetry: { functionId: "geography" },
    }),
  );

/** Two steps: the model calls a tool, the SDK runs it, the model answers. */
const tool_result = (api) => {
  const weather = tool({
    description: prompts.TOOL_DESCRIPTION,
    inputSchema: jsonSchema(prompts.TOOL_SCHEMA),
    execute: async ({ city }) => ({ city, weather: prompts.WEATHER }),
  });
  return api.answering(["openai/tool_call.json", "openai/tool_result.json"], () =>
    generateText({
      ...chat(api),
      system: prompts.SYSTEM,
      prompt: prompts.WEATHER_QUESTION,
      tools: { [prompts.TOOL]: weather },
      stopWhen: isStepCount(3),
    }),
  );
};

const streaming = (api) =>
  api.answering(["openai/chat.sse"], async () => {
    const { textStream } = streamText({ ...chat(api), system: prompts.SYSTEM, prompt: prompts.FIRST_QUESTION });
    for await (const _ of textStream);
  });

/** OpenAI's Responses API, which the SDK takes by default. */
const responses = (api) =>
  api.answering(["openai/response.json"], () =>
    generateText({ model: provider(api)("gpt-4o-mini"), maxRetries: 0, prompt: prompts.FIRST_QUESTION }),
  );

const image = (api) =>
  api.answering(["openai/image.json"], () => {
    const content = [
      { type: "text", text: prompts.IMAGE_QUESTION },
      { type: "file", mediaType: "image/png", data: prompts.IMAGE_BASE64 },
    ];
    return generateText({ ...chat(api), messages: [{ role: "user", content }] });
  });

const embeddings = (api) =>
  api.answering(["openai/embeddings.json"], () =>
    embedMany({
      model: provider(api).embedding("text-embedding-3-small"),
      maxRetries: 0,
      values: [prompts.DOCUMENT_QUESTION],
    }),
  );

await record({
  instrumentor: "ai_sdk",
  packages: ["@arizeai/openinference-vercel", "ai", "@ai-sdk/otel", "@ai-sdk/openai"],
  processor: (exporter) => new OpenInferenceSimpleSpanProcessor({ exporter }),
  // What the processor's documentation recommends; request headers alone stay out.
  instrument: () =>
    registerTelemetry(
      new OpenTelemetry({
        usage: true,
        providerMetadata: true,
        embedding: true,
        reranking: true,
        runtimeContext: true,
        toolChoice: true,
        schema: true,
      }),
    ),
  scenarios: { conversation, tool_result, streaming, responses, image, embeddings },
});
