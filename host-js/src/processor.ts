/** The span processor that goes on providers. */

import type { Pipeline } from "./pipeline.js";
import { MARKER, type Processor } from "./provider/adopt.js";
import type { SpanLineage } from "./provider/lineage.js";
import type { ReadableSpan } from "./span/readable.js";

/** Hands finished spans to a pipeline. */
export class PipelineProcessor implements Processor {
  readonly [MARKER] = true;

  constructor(
    private readonly pipeline: () => Pipeline | undefined,
    private readonly lineage: SpanLineage,
  ) {}

  onStart(span: object, parentContext: unknown): void {
    try {
      this.lineage.started(span, parentContext);
    } catch {
      // Not a context: the span keeps its parent.
    }
  }

  onEnd(span: object): void {
    this.pipeline()?.onEnd(span as ReadableSpan);
  }

  async forceFlush(): Promise<void> {
    await this.pipeline()?.flush();
  }

  async shutdown(): Promise<void> {
    await this.pipeline()?.flush();
  }
}
