/** The span processor that users put on providers themselves. */

import { Report } from "./delivery/report.js";
import { Pipeline } from "./pipeline.js";
import { PipelineProcessor } from "./processor.js";
import { theApi } from "./provider/apis.js";
import { suppressTracing } from "./provider/context-manager.js";
import { OURS } from "./provider/ours.js";
import type { AutologOptions } from "./settings/options.js";
import { resolve } from "./settings/resolve.js";
import { state } from "./state.js";

/**
 * A span processor for providers that `autolog()` cannot find, because they are never registered globally.
 *
 * Works with the providers of OpenTelemetry SDK 1.30, 2.x and 3.x, with or without `autolog()`; a provider that has one
 * gets no second one from `autolog()`.
 *
 * ```ts
 * const provider = new NodeTracerProvider({ spanProcessors: [new MlflowSpanProcessor({ experiment: "agents" })] });
 * ```
 */
export class MlflowSpanProcessor {
  readonly [OURS] = true;
  readonly #processor: PipelineProcessor;

  /** Options are `autolog()`'s; those that concern the whole process (`flushOnSignals`, `adoptOrphans`) have no effect. */
  constructor(options: AutologOptions = {}) {
    const report = new Report(() => theApi()?.diag);
    report.silent = options.silent ?? false;
    const shared = state();
    const settings = resolve(options, (message) => report.warn(message, message));
    const pipeline = new Pipeline(settings, shared.lineage, report, (fn) => suppressTracing(theApi(), fn));
    shared.pipelines.add(pipeline);
    shared.watchExits();
    this.#processor = new PipelineProcessor(() => pipeline, shared.lineage);
  }

  /** Part of `SpanProcessor`. */
  // biome-ignore lint/suspicious/noExplicitAny: each SDK has its own type here, none of which may be named
  onStart(span: any, parentContext: any): void {
    this.#processor.onStart(span, parentContext);
  }

  /** Part of `SpanProcessor`: takes a snapshot of the span. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onEnd(span: any): void {
    this.#processor.onEnd(span);
  }

  /** Sends what has ended so far. Never rejects. */
  forceFlush(): Promise<void> {
    return this.#processor.forceFlush();
  }

  /** As `forceFlush`. */
  shutdown(): Promise<void> {
    return this.#processor.shutdown();
  }
}
