/**
 * An application with AI SDK 7. `PHOENIX` says when its provider is registered, `before` or `after` autolog(), with the
 * processor that makes OpenInference spans of the SDK's own; without it there is none.
 */

import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OpenInferenceBatchSpanProcessor } from "@arizeai/openinference-vercel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { autolog, flush, stats } from "openinference-mlflow";
import { makeCalls } from "../ai-sdk-calls.mjs";

const { PHOENIX, PHOENIX_URL, PHOENIX_PROJECT, MODELS } = process.env;

function phoenix() {
  const exporter = new OTLPTraceExporter({ url: PHOENIX_URL });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "openinference.project.name": PHOENIX_PROJECT }),
    spanProcessors: [new OpenInferenceBatchSpanProcessor({ exporter })],
  });
  provider.register();
  return provider;
}

let provider;
if (PHOENIX === "before") provider = phoenix();
// A server that has just started takes its time.
autolog({ flushTimeoutMillis: 100_000 });
if (PHOENIX === "after") provider = phoenix();

ai.registerTelemetry(new OpenTelemetry({ usage: true, providerMetadata: true, embedding: true, schema: true }));

await makeCalls({
  ai,
  openai: createOpenAI({ apiKey: "test", baseURL: `${MODELS}/v1` }),
  telemetry: { telemetry: { functionId: "assistant" } },
});

await provider?.forceFlush();
await flush();
process.stdout.write(JSON.stringify(stats()));
