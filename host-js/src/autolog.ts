/** `autolog()`: one pipeline for the process, on every provider that exists or appears later. */

import { watchExits, watchSignals } from "./delivery/exits.js";
import { Report } from "./delivery/report.js";
import { type DeliveryStats, NO_SPANS, sum } from "./delivery/stats.js";
import { type Feedback, feedbackProblem, feedbackSpan } from "./feedback.js";
import { Pipeline } from "./pipeline.js";
import { contextLimit } from "./platform/node.js";
import { PipelineProcessor } from "./processor.js";
import { Adopter } from "./provider/adopt.js";
import { type Api, addApi, knownApis, loadedCopies, theApi } from "./provider/api-copies.js";
import { contextManager, installContextManager, suppressTracing } from "./provider/context-manager.js";
import { SpanLineage } from "./provider/lineage.js";
import { followOrphans } from "./provider/orphans.js";
import { OwnTracer, type OwnTracerParts } from "./provider/own-tracer.js";
import { registered, watchRegistry } from "./provider/registry.js";
import { readSampler, type Sampler } from "./provider/sampler.js";
import { markKnown, UnreachableCopies } from "./provider/unreachable.js";
import { checkOptions } from "./settings/check.js";
import type { AutologOptions } from "./settings/options.js";
import { isDisabled, resolve, type Settings } from "./settings/resolve.js";
import type { Scope } from "./span/readable.js";
import type { Shared } from "./state.js";

/** The one instance in a process. Its public methods never throw. */
export class Autolog implements Shared {
  readonly lineage = new SpanLineage();
  readonly #report = new Report(() => theApi()?.diag);
  readonly #processor = new PipelineProcessor(() => this.#pipeline, this.lineage);
  readonly #adopter: Adopter;
  readonly #ownTracerParts: OwnTracerParts;
  /** This one, and those of processors that the user made. */
  readonly #pipelines = new Set<Pipeline>();
  #closed: DeliveryStats = NO_SPANS;
  /** Every option that was given, the latest of each. */
  #options: AutologOptions = {};
  #pipeline: Pipeline | undefined;
  #sampler: Sampler | undefined;
  #isStarted = false;
  #watchesExits = false;
  /** The registered provider, if it is the one of this package. */
  #ownProvider: unknown;

  constructor() {
    this.#ownTracerParts = {
      api: theApi,
      enabled: () => this.#isEnabled,
      sampler: () => {
        this.#sampler ??= readSampler(this.#complain);
        return this.#sampler;
      },
      hidden: () => this.#usersProvider !== undefined,
      onEnd: (span) => this.#processor.onEnd(span),
    };
    this.#adopter = new Adopter(this.#processor, {
      active: () => theApi().context.active(),
      span: ({ name, options, context, spanContext, scope }) =>
        this.#ownTracer(scope).mirror(name, options, context, spanContext),
    });
  }

  autolog(options?: AutologOptions): void {
    this.#safely("autolog()", () => {
      const checked = checkOptions(options, this.#complain);
      this.#options = { ...this.#options, ...checked, disable: checked.disable ?? false };
      const disabled = isDisabled(this.#options, this.#complain);
      // Not started and disabled: leave everything of the application untouched.
      if (disabled && !this.#pipeline) return;
      if (this.#pipeline) this.#configure();
      if (!disabled) this.#start();
      this.#reachAll();
      watchSignals(this.#pipeline?.settings.signals ?? [], () => this.flush());
    });
  }

  attach(provider: unknown): void {
    this.#safely("attach()", () => {
      if (typeof provider !== "object" || provider === null) {
        this.#complain("attach() is ignored: expected a tracer provider");
        return;
      }
      this.#open();
      this.#adopter.adopt(provider);
    });
  }

  setTrackingUri(uri: string): void {
    this.#set("setTrackingUri()", { trackingUri: uri });
  }

  setExperiment(experiment: string | { name?: string; id?: string }): void {
    const given: unknown = experiment;
    const { name, id } =
      typeof given === "object" && given !== null ? (given as { name?: string; id?: string }) : { name: given };
    if (name === undefined && (id === undefined || id === "")) {
      this.#complain('setExperiment() is ignored: expected a name, such as "my-agent", or { id: "1" }');
      return;
    }
    this.#set("setExperiment()", { experiment: name as string | undefined, experimentId: id });
  }

  async flush(options: { timeoutMillis?: number } = {}): Promise<void> {
    const limit = options?.timeoutMillis;
    const usable = typeof limit === "number" && limit >= 0 ? limit : undefined;
    await Promise.all([...this.#pipelines].map((each) => each.flush(usable)));
  }

  async shutdown(): Promise<void> {
    await this.flush();
    if (!this.#pipeline) return;
    this.#options = { ...this.#options, disable: true };
    this.#configure();
    watchSignals([], () => this.flush());
  }

  stats(): DeliveryStats {
    return sum([this.#closed, ...[...this.#pipelines].map((each) => each.stats())]);
  }

  getLastTraceId(): string | undefined {
    const traceId = this.#pipeline?.lastTraceId ?? [...this.#pipelines].map((each) => each.lastTraceId).find(Boolean);
    return traceId && `tr-${traceId}`;
  }

  getTraceUrl(traceId: string | undefined = this.getLastTraceId()): string | undefined {
    const digits = String(traceId).replace(/^tr-/, "");
    return [...this.#pipelines].map((each) => each.traceUrl(digits)).find((url) => url !== undefined);
  }

  logFeedback(feedback: Feedback): void {
    this.#safely("logFeedback()", () => {
      const problem = feedbackProblem(feedback);
      if (problem) this.#complain(`logFeedback() is ignored: ${problem}`);
      else if (!isDisabled(this.#options, this.#complain)) this.#open().sendFeedback(feedbackSpan(feedback));
    });
  }

  useApi(api: Api): void {
    addApi(api);
    if (!this.#isStarted) return;
    installContextManager(api, () => this.#isEnabled);
    markKnown(api);
    followOrphans(api, {
      ownTracer: (scope) => this.#ownTracer(scope),
      adopted: ({ name, version, schemaUrl }) => {
        if (!this.#pipeline?.settings.adoptOrphans) return undefined;
        const provider = this.#usersProvider as ReturnType<Api["trace"]["getTracerProvider"]> | undefined;
        return provider?.getTracer(name, version, schemaUrl === undefined ? undefined : { schemaUrl });
      },
    });
  }

  openPipeline(options: AutologOptions): Pipeline {
    const report = new Report(() => theApi()?.diag);
    report.silent = options?.silent === true;
    const complain = (message: string) => report.warn(message, message);
    const pipeline = new Pipeline(resolve(checkOptions(options, complain), complain), {
      lineage: this.lineage,
      report,
      suppressTracing: (fn) => suppressTracing(theApi(), fn),
      closed: (each) => {
        if (this.#pipelines.delete(each)) this.#closed = sum([this.#closed, each.stats()]);
      },
    });
    this.#pipelines.add(pipeline);
    this.#watchExits();
    return pipeline;
  }

  get #isEnabled(): boolean {
    return this.#pipeline?.settings.enabled ?? false;
  }

  /** The registered provider, unless this package registered it. */
  get #usersProvider(): unknown {
    const provider = registered("trace");
    return provider === this.#ownProvider ? undefined : provider;
  }

  readonly #complain = (message: string): void => {
    this.#report.warn(message, message);
  };

  #ownTracer(scope: Scope): OwnTracer {
    return new OwnTracer(this.#ownTracerParts, scope);
  }

  #set(call: string, options: AutologOptions): void {
    this.#safely(call, () => {
      this.#options = { ...this.#options, ...checkOptions(options, this.#complain) };
      this.#configure();
    });
  }

  /** A defect of this package never reaches the application. */
  #safely(call: string, fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#complain(`${call} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Resolves the options given so far with the environment as it is now. */
  #configure(): Settings {
    this.#report.silent = this.#options.silent ?? false;
    const settings = resolve(this.#options, this.#complain);
    this.#pipeline?.configure(settings);
    return settings;
  }

  #open(): Pipeline {
    if (this.#pipeline) return this.#pipeline;
    this.#pipeline = new Pipeline(this.#configure(), {
      lineage: this.lineage,
      report: this.#report,
      suppressTracing: (fn) => suppressTracing(theApi(), fn),
    });
    this.#pipelines.add(this.#pipeline);
    this.#watchExits();
    return this.#pipeline;
  }

  #start(): void {
    const { settings } = this.#open();
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (contextLimit) this.#complain(contextLimit);
    this.#reachAll();
    const unreachable = new UnreachableCopies((file) =>
      this.#complain(
        `spans from ${file} do not reach MLflow: this file holds its own copy of @opentelemetry/api, which only finds a ` +
          "registered provider, and this process has none. Call autolog({ registerProvider: true }), or register a provider",
      ),
    );
    // Some applications look for a tracer before every span.
    const reach = atMostEvery(1, () => this.#reachAll());
    watchRegistry({
      onTrace: (provider) => {
        this.#adopter.adopt(provider);
        // Code that registers a provider has loaded a copy of the API.
        this.#reachAll();
      },
      onMiss: () => {
        reach();
        if (this.#isEnabled) unreachable.missed();
      },
    });
    if (settings.registerProvider) this.#registerProvider();
  }

  /** For copies of the API that can only find a registered provider. */
  #registerProvider(): void {
    const api = theApi();
    if (registered("trace") !== undefined) return;
    const provider = {
      getTracer: (name: string, version?: string, options?: { schemaUrl?: string }) =>
        this.#ownTracer({ name, version, schemaUrl: options?.schemaUrl }),
    };
    this.#adopter.ignore(provider);
    api.trace.setGlobalTracerProvider(provider);
    this.#ownProvider = registered("trace");
    const manager = contextManager(api);
    if (manager && registered("context") === undefined) api.context.setGlobalContextManager(manager);
  }

  #reachAll(): void {
    for (const api of [...knownApis(), ...loadedCopies()]) this.useApi(api);
  }

  #watchExits(): void {
    if (this.#watchesExits) return;
    this.#watchesExits = true;
    const all = () => [...this.#pipelines];
    watchExits({
      flushOnExit: () => this.#pipeline?.settings.flushOnExit ?? true,
      flush: async () => void (await Promise.all(all().map((each) => each.flushAtExit()))),
      drainNow: (limitMillis) => {
        const deadline = performance.now() + limitMillis;
        return all().reduce((left, each) => left + each.drainNow(deadline), 0);
      },
      pending: () => all().reduce((sum, each) => sum + each.stats().pending, 0),
      trouble: () =>
        all()
          .map((each) => each.trouble)
          .find((trouble) => trouble !== undefined),
      print: (message) => this.#report.final(message),
    });
  }
}

/** Calls `fn`, unless it ran less than so many milliseconds ago, or is running. */
function atMostEvery(millis: number, fn: () => void): () => void {
  let next = 0;
  return () => {
    if (performance.now() < next) return;
    next = Number.POSITIVE_INFINITY;
    fn();
    next = performance.now() + millis;
  };
}
