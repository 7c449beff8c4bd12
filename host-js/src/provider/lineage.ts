/**
 * The parents of spans, as MLflow shows them but the application's provider does not see them.
 *
 * While no provider is registered, this package makes spans itself. If these became parents of the user's spans, the
 * user's processors would see other trace ids and parents than without this package. So once the user has a provider,
 * our spans show the context that the API's no-op span would show. The real parents are kept here, for MLflow only.
 */

import type { Context, SpanContext } from "@opentelemetry/api";
import type { Lineage } from "../span/chunk.js";

/** `createContextKey("OpenTelemetry Context Key SPAN")` of every copy of the API. */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** So many joined traces are remembered. */
const MAX_JOINED = 4096;

/** On a span that this package made: its real context. */
export const TRUE_CONTEXT = Symbol.for("openinference-mlflow.context");

/** Remembers real parents and trace ids. */
export class SpanLineage implements Lineage {
  #joined = new Map<string, string>();
  #parents = new WeakMap<object, string>();

  /** A span of the user's provider has started. */
  started(span: object, parentContext: unknown): void {
    const parent = (parentContext as Context | undefined)?.getValue?.(SPAN_KEY);
    const above = trueContext(parent);
    if (!above) return;
    this.#parents.set(span, above.spanId);
    const { traceId } = (span as { spanContext(): SpanContext }).spanContext();
    const root = this.traceId(above.traceId);
    if (traceId === root) return;
    this.#joined.set(traceId, root);
    if (this.#joined.size > MAX_JOINED) {
      const [oldest] = this.#joined.keys();
      this.#joined.delete(oldest as string);
    }
  }

  traceId(traceId: string): string {
    if (this.#joined.size === 0) return traceId;
    return this.#joined.get(traceId) ?? traceId;
  }

  parentSpanId(span: object): string | undefined {
    return this.#parents.get(span);
  }
}

/** The real context of a span that this package made, whatever context it shows. */
export function trueContext(span: unknown): SpanContext | undefined {
  if (typeof span !== "object" || span === null) return undefined;
  return (span as { [TRUE_CONTEXT]?: SpanContext })[TRUE_CONTEXT];
}
