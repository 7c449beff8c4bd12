/** The span processor that users put on providers themselves. */

import type { Pipeline } from "./pipeline.js";
import { PipelineProcessor } from "./processor.js";
import { MARKER } from "./provider/adopt.js";
import type { AutologOptions } from "./settings/options.js";
import { state } from "./state.js";

/**
 * A span processor for providers that `autolog()` cannot find, because they are never registered globally.
 *
 * Works with the providers of OpenTelemetry SDK 1.30, 2.x and 3.x, with or without `autolog()`, which does not add a second
 * processor to such a provider.
 *
 * ```ts
 * const provider = new NodeTracerProvider({ spanProcessors: [new MlflowSpanProcessor({ experiment: "agents" })] });
 * ```
 */
export class MlflowSpanProcessor {
  readonly [MARKER] = true;
  readonly #processor: PipelineProcessor;
  readonly #pipeline: Pipeline;

  /** Takes the options of `autolog()`. `flushOnSignals`, `adoptOrphans` and `registerProvider` have no effect here. */
  constructor(options: AutologOptions = {}) {
    const shared = state();
    const pipeline = shared.openPipeline(options);
    this.#pipeline = pipeline;
    this.#processor = new PipelineProcessor(() => pipeline, shared.lineage);
  }

  /** Part of `SpanProcessor`. */
  // biome-ignore lint/suspicious/noExplicitAny: the SDKs' types differ, and none of them may be named here
  onStart(span: any, parentContext: any): void {
    this.#processor.onStart(span, parentContext);
  }

  /** Part of `SpanProcessor`: takes a snapshot of the span. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onEnd(span: any): void {
    this.#processor.onEnd(span);
  }

  /** Sends everything that has ended so far. Never rejects. */
  forceFlush(): Promise<void> {
    return this.#processor.forceFlush();
  }

  /** Sends everything that has ended, and frees what this processor uses. Never rejects. */
  shutdown(): Promise<void> {
    return this.#pipeline.retire();
  }
}
