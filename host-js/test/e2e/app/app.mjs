/**
 * An application as a user writes one: real model clients, real OpenInference instrumentations, `autolog()`, and Phoenix
 * if `PHOENIX` says `before` or `after`. Model APIs and Phoenix are at the addresses of the environment.
 */

import Anthropic from "@anthropic-ai/sdk";
import { AnthropicInstrumentation } from "@arizeai/openinference-instrumentation-anthropic";
import { BedrockInstrumentation } from "@arizeai/openinference-instrumentation-bedrock";
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { register } from "@arizeai/phoenix-otel";
import * as bedrockRuntime from "@aws-sdk/client-bedrock-runtime";
import * as CallbackManagerModule from "@langchain/core/callbacks/manager";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import { trace } from "@opentelemetry/api";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { autolog, flush, stats } from "openinference-mlflow";

const { PHOENIX, PHOENIX_URL, PHOENIX_PROJECT, MODELS } = process.env;
const phoenix = () => register({ projectName: PHOENIX_PROJECT, url: PHOENIX_URL, batch: true });

let provider;
if (PHOENIX === "before") provider = phoenix();
// A server that has just started takes its time.
autolog({ flushTimeoutMillis: 100_000 });
if (PHOENIX === "after") provider = phoenix();

new OpenAIInstrumentation().manuallyInstrument(OpenAI);
new AnthropicInstrumentation().manuallyInstrument(Anthropic);
new LangChainInstrumentation().manuallyInstrument(CallbackManagerModule);
new BedrockInstrumentation().manuallyInstrument(bedrockRuntime);

const openai = new OpenAI({ apiKey: "test", baseURL: `${MODELS}/v1`, maxRetries: 0 });
const messages = [{ role: "user", content: "What is the capital of France?" }];

await trace.getTracer("shop").startActiveSpan("answer", async (root) => {
  root.setAttributes({
    "openinference.span.kind": "AGENT",
    "input.value": "capital?",
    "session.id": "s-1",
    "user.id": "u-1",
  });
  await openai.chat.completions.create({ model: "gpt-4o-mini", messages });
  root.setAttribute("output.value", "done");
  root.end();
});

const weather = { type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } };
await openai.chat.completions.create({ model: "gpt-4o-mini", messages, tools: [weather] });
for await (const _ of await openai.chat.completions.create({ model: "gpt-4o", messages, stream: true }));
await openai.embeddings.create({ model: "text-embedding-3-small", input: "one text", encoding_format: "float" });

const anthropic = new Anthropic({ apiKey: "test", baseURL: MODELS, maxRetries: 0 });
await anthropic.messages.create({ model: "claude-of-the-mock", max_tokens: 64, messages });

const model = new ChatOpenAI({
  model: "gpt-4o-mini",
  apiKey: "test",
  maxRetries: 0,
  configuration: { baseURL: `${MODELS}/v1` },
});
await ChatPromptTemplate.fromTemplate("Tell me about {topic}").pipe(model).invoke({ topic: "France" });

const { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } = bedrockRuntime;
const bedrock = new BedrockRuntimeClient({
  region: "eu-west-1",
  endpoint: MODELS,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
  // The client's own speaks HTTP/2.
  requestHandler: new NodeHttpHandler(),
});
const tool = { toolSpec: { name: "get_weather", inputSchema: { json: { type: "object", properties: {} } } } };
await bedrock.send(
  new ConverseCommand({
    modelId: "amazon.nova-lite-v1:0",
    system: [{ text: "Be brief." }],
    messages: [{ role: "user", content: [{ text: messages[0].content }] }],
    inferenceConfig: { maxTokens: 64 },
    toolConfig: { tools: [tool] },
  }),
);
await bedrock.send(
  new InvokeModelCommand({
    modelId: "anthropic.claude-3-haiku-20240307-v1:0",
    contentType: "application/json",
    body: JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 64, messages }),
  }),
);

await provider?.forceFlush();
await flush();
process.stdout.write(JSON.stringify(stats()));
