/** `autolog()`: one pipeline for the process, on every provider that there is or comes to be. */

import { watchExits, watchSignals } from "./delivery/exits.js";
import { Report } from "./delivery/report.js";
import { sum } from "./delivery/stats.js";
import { Pipeline } from "./pipeline.js";
import { PipelineProcessor } from "./processor.js";
import { Adopter } from "./provider/adopt.js";
import { loadedCopies } from "./provider/api.js";
import { addApi, type FullApi, knownApis, theApi } from "./provider/apis.js";
import { lendContextManager, suppressTracing } from "./provider/context-manager.js";
import { SpanLineage } from "./provider/lineage.js";
import { followOrphans } from "./provider/orphans.js";
import { OwnTracer, type OwnTracerParts } from "./provider/own-tracer.js";
import { registered, watchRegistry } from "./provider/registry.js";
import { readText } from "./settings/environment.js";
import type { AutologOptions } from "./settings/options.js";
import { resolve, type Settings } from "./settings/resolve.js";
import type { Scope } from "./span/readable.js";
import type { Shared } from "./state.js";

export function makeAutolog(): Shared {
  const report = new Report(() => theApi()?.diag);
  const lineage = new SpanLineage();
  const pipelines = new Set<Pipeline>();
  let given: AutologOptions = {};
  let pipeline: Pipeline | undefined;
  let isStarted = false;
  let exitsAreWatched = false;

  const enabled = () => pipeline?.settings.enabled ?? false;
  const processor = new PipelineProcessor(() => pipeline, lineage);
  const ownTracerParts: OwnTracerParts = {
    api: theApi,
    enabled: () => enabled() && readText("OTEL_SDK_DISABLED")?.toLowerCase() !== "true",
    hidden: () => registered("trace") !== undefined,
    onEnd: (span) => processor.onEnd(span),
  };
  const ownTracer = (scope: Scope) => new OwnTracer(ownTracerParts, scope);
  const adopter = new Adopter(processor, {
    active: () => theApi().context.active(),
    span: ({ name, options, context, spanContext, scope }) =>
      ownTracer(scope).mirror(name, options, context, spanContext),
  });

  /** Settings from what was asked for so far and from the environment as it is now. */
  function configure(): Settings {
    report.silent = given.silent ?? false;
    const settings = resolve(given, (message) => report.warn(message, message));
    pipeline?.configure(settings);
    return settings;
  }

  function reach(api: FullApi): void {
    addApi(api);
    if (!isStarted) return;
    lendContextManager(api, enabled);
    followOrphans(api, {
      ownTracer,
      adopted: ({ name, version, schemaUrl }) => {
        if (!pipeline?.settings.adoptOrphans) return undefined;
        const provider = registered("trace") as ReturnType<FullApi["trace"]["getTracerProvider"]> | undefined;
        return provider?.getTracer(name, version, schemaUrl === undefined ? undefined : { schemaUrl });
      },
    });
  }

  function reachAll(): void {
    for (const api of [...knownApis(), ...(loadedCopies() as FullApi[])]) reach(api);
  }

  function watchAll(): void {
    if (exitsAreWatched) return;
    exitsAreWatched = true;
    watchExits({
      flushOnExit: () => pipeline?.settings.flushOnExit ?? true,
      idle: () => [...pipelines].every((each) => each.idle),
      flush: async () => void (await Promise.all([...pipelines].map((each) => each.flushAtExit()))),
      pending: () => [...pipelines].reduce((sum, each) => sum + each.stats().pending, 0),
      say: (message) => report.final(message),
    });
  }

  function open(): Pipeline {
    if (pipeline) return pipeline;
    pipeline = new Pipeline(configure(), lineage, report, (fn) => suppressTracing(theApi(), fn));
    pipelines.add(pipeline);
    watchAll();
    return pipeline;
  }

  function start(): void {
    open();
    if (isStarted) return;
    isStarted = true;
    reachAll();
    watchRegistry({
      onTrace(provider) {
        adopter.adopt(provider);
        // Whoever registers a provider has loaded a copy of the API.
        reachAll();
      },
      // So has whoever looks for one; but some look for every span.
      onMiss: atMostEvery(1, reachAll),
    });
  }

  async function flush(options: { timeoutMillis?: number } = {}): Promise<void> {
    await Promise.all([...pipelines].map((each) => each.flush(options.timeoutMillis)));
  }

  return {
    lineage,
    pipelines,
    watchExits: watchAll,
    useApi: reach,

    autolog(options = {}) {
      given = { ...given, ...options, disable: options.disable ?? false };
      // Never started, and not to be: nothing of the application is touched.
      if (given.disable && !pipeline) return;
      if (pipeline) configure();
      if (!given.disable) start();
      reachAll();
      watchSignals(pipeline?.settings.signals ?? [], () => flush());
    },

    attach(provider) {
      open();
      adopter.adopt(provider);
    },

    setTrackingUri(uri) {
      given = { ...given, trackingUri: uri };
      configure();
    },

    setExperiment(experiment) {
      const { name, id } = typeof experiment === "string" ? { name: experiment, id: undefined } : experiment;
      given = { ...given, experiment: name, experimentId: id };
      configure();
    },

    flush,

    async shutdown() {
      await flush();
      if (!pipeline) return;
      given = { ...given, disable: true };
      configure();
      watchSignals([], flush);
    },

    stats() {
      return sum([...pipelines].map((each) => each.stats()));
    },
  };
}

/** `fn`, unless it ran less than so many milliseconds ago, or is running. */
function atMostEvery(millis: number, fn: () => void): () => void {
  let next = 0;
  return () => {
    if (performance.now() < next) return;
    next = Number.POSITIVE_INFINITY;
    fn();
    next = performance.now() + millis;
  };
}
