/**
 * An application with the AI SDK: a text, a tool with its answer, a stream, an embedding. `PHOENIX` says when its provider
 * is registered, `before` or `after` autolog(), with the processor that makes OpenInference spans of the SDK's own; without
 * it there is none.
 */

import { createOpenAI } from "@ai-sdk/openai";
import { OpenInferenceBatchSpanProcessor } from "@arizeai/openinference-vercel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { autolog, flush, stats } from "openinference-mlflow";

const { PHOENIX, PHOENIX_URL, PHOENIX_PROJECT } = process.env;

function phoenix() {
  const exporter = new OTLPTraceExporter({ url: PHOENIX_URL });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "openinference.project.name": PHOENIX_PROJECT }),
    spanProcessors: [new OpenInferenceBatchSpanProcessor({ exporter })],
  });
  provider.register();
  return provider;
}

/** How a call asks for telemetry: AI SDK 7 has a registry and a package for it. */
async function telemetryOptions() {
  if (!("registerTelemetry" in ai)) return { experimental_telemetry: { isEnabled: true, functionId: "assistant" } };
  const { OpenTelemetry } = await import("@ai-sdk/otel");
  ai.registerTelemetry(new OpenTelemetry({ usage: true, providerMetadata: true, embedding: true, schema: true }));
  return { telemetry: { functionId: "assistant" } };
}

let provider;
if (PHOENIX === "before") provider = phoenix();
// A server that has just started takes its time.
autolog({ flushTimeoutMillis: 100_000 });
if (PHOENIX === "after") provider = phoenix();

const openai = createOpenAI();
const options = { maxRetries: 0, ...(await telemetryOptions()) };
const model = openai.chat("gpt-4o-mini");
await ai.generateText({ model, prompt: "What is the capital of France?", ...options });
const weather = ai.tool({
  description: "The weather of a city",
  inputSchema: ai.jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
  execute: async ({ city }) => ({ city, sky: "clear" }),
});
await ai.generateText({
  ...{ model, prompt: "How is the weather in Lisbon?", ...options },
  ...{ tools: { get_weather: weather }, stopWhen: ai.stepCountIs(2) },
});
const { textStream } = ai.streamText({ model, prompt: "Count to three.", ...options });
for await (const _ of textStream);
await ai.embed({ model: openai.embedding("text-embedding-3-small"), value: "one text", ...options });

await provider?.forceFlush();
await flush();
process.stdout.write(JSON.stringify(stats()));
