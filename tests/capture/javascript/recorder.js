/**
 * Runs the scenarios of one instrumentation and writes what each of them exported, one payload a scenario.
 *
 * Spans go through the SDK and the serializer of the OTLP exporter, so a payload is byte for byte what an application
 * would have sent for them.
 */

import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

import * as fixtureFiles from "./fixture-files.js";
import { ModelApi } from "./model-api.js";

const HERE = import.meta.dirname;
const SPAN_END_LIMIT_MS = 5_000;

/**
 * Writes `js_<instrumentor>_<scenario>.pb` for each scenario, a function that takes the model API.
 *
 * `packages` decide what the spans look like; `instrument` takes the tracer provider; `processor` makes the span
 * processor for an exporter, where the instrumentation brings one; `modules` is the folder with the packages, where a
 * script has a folder of its own.
 */
export async function record({ instrumentor, packages, instrument, scenarios, processor = simple, modules = HERE }) {
  const exporter = new InMemorySpanExporter();
  const open = new OpenSpans();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "capture",
      "openinference.project.name": "capture",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "opentelemetry",
      "telemetry.sdk.version": await versionOf("@opentelemetry/sdk-trace-node", HERE),
    }),
    spanProcessors: [open, processor(exporter)],
  });
  provider.register();
  instrument(provider);
  const run = async (scenario, api) => {
    exporter.reset();
    await scenario(api);
    await open.none();
    await provider.forceFlush();
    const spans = exporter.getFinishedSpans();
    return { spans, body: ProtobufTraceSerializer.serializeRequest(spans.map(withoutLocalPaths)) };
  };
  await write({ instrumentor, packages, scenarios, modules, run });
}

/** Runs each scenario and writes its payload; `run` returns the spans, as the SDK has them, and their bytes. */
export async function write({ instrumentor, packages, scenarios, modules, run }) {
  const known = {
    source: "captured",
    packages: await Promise.all(packages.map(async (name) => `${name} ${await versionOf(name, modules)}`)),
    node: process.versions.node,
    captured: fixtureFiles.today(),
  };
  const entries = {};
  const api = await ModelApi.start();
  try {
    for (const [scenario, work] of Object.entries(scenarios)) {
      const { spans, body } = await run(work, api);
      if (spans.length === 0) throw new Error(`scenario ${scenario} made no span`);
      const name = `js_${instrumentor}_${scenario}.pb`;
      entries[name] = { body, known: { ...known, scenario, ...describe(spans) } };
      console.log(`${name}: ${spans.length} spans, ${body.length} bytes`);
    }
  } finally {
    await api.stop();
  }
  await fixtureFiles.write(entries);
}

/** Some instrumentations read their own copy of a stream and end the span after the application is through with it. */
class OpenSpans {
  #count = 0;

  onStart() {
    this.#count += 1;
  }

  onEnd() {
    this.#count -= 1;
  }

  async none() {
    const limit = Date.now() + SPAN_END_LIMIT_MS;
    while (this.#count > 0) {
      if (Date.now() > limit) throw new Error(`${this.#count} spans did not end`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async forceFlush() {}

  async shutdown() {}
}

function simple(exporter) {
  return new SimpleSpanProcessor(exporter);
}

async function versionOf(name, modules) {
  return JSON.parse(await readFile(path.join(modules, "node_modules", name, "package.json"), "utf8")).version;
}

/** What `fixture_files.describe` reads out of a payload. */
function describe(spans) {
  const scopes = spans.map(({ instrumentationScope: { name, version } }) => `${name} ${version ?? ""}`.trim());
  const sdks = spans.map(({ resource: { attributes } }) => {
    return `${attributes["telemetry.sdk.language"]} ${attributes["telemetry.sdk.version"]}`;
  });
  return { scopes: [...new Set(scopes)].sort(), sdk: [...new Set(sdks)].sort() };
}

/** Stack traces name files of the machine that captured them: those paths become `/srv/app/…`. */
function withoutLocalPaths(span) {
  for (const { attributes } of span.events) {
    for (const [key, value] of Object.entries(attributes ?? {})) attributes[key] = renamed(value);
  }
  span.status.message = renamed(span.status.message);
  return span;
}

function renamed(value) {
  return typeof value === "string" ? value.replaceAll(HERE, "/srv/app").replaceAll(os.homedir(), "/home/app") : value;
}
