/**
 * Providers that are not an OpenTelemetry SDK (Datadog's, for instance): only calls of the API can be seen.
 *
 * Each span that such a provider records gets a mirror: a span of this package with the same context, which gets the same
 * calls and ends with it. The application keeps the provider's own spans.
 */

import type { Context, Span, SpanContext, SpanOptions, Tracer, TracerProvider } from "@opentelemetry/api";
import type { Scope } from "../span/readable.js";

/** The span to mirror. */
export interface MirroredSpan {
  name: string;
  options: SpanOptions;
  /** The context in which the span began. It holds the parent. */
  context: Context;
  spanContext: SpanContext;
  scope: Scope;
}

/** Makes mirrors. */
export interface Mirror {
  active(): Context;
  span(original: MirroredSpan): Span;
}

const COPIED_CALLS = [
  ...["setAttribute", "setAttributes", "addEvent", "addLink", "addLinks", "setStatus", "updateName"],
  ...["recordException", "end"],
];

const mirrored = new WeakSet<object>();

/** Mirrors the spans of every tracer that the provider hands out from now on. */
export function mirrorProvider(provider: TracerProvider, mirror: Mirror): void {
  const getTracer = provider.getTracer;
  provider.getTracer = (name, version, options) => {
    const tracer = getTracer.call(provider, name, version, options);
    if (!mirrored.has(tracer)) {
      mirrored.add(tracer);
      mirrorTracer(tracer, { name, version, schemaUrl: options?.schemaUrl }, mirror);
    }
    return tracer;
  };
}

function mirrorTracer(tracer: Tracer, scope: Scope, mirror: Mirror): void {
  const seen = new WeakSet<Span>();
  const see = (span: Span, name: string, options: SpanOptions, context: Context) => {
    if (seen.has(span) || !span.isRecording()) return;
    seen.add(span);
    mirrorSpan(span, mirror.span({ name, options, context, spanContext: plainContext(span.spanContext()), scope }));
  };

  const startSpan = tracer.startSpan;
  tracer.startSpan = (name, options, context) => {
    const above = context ?? mirror.active();
    const span = startSpan.call(tracer, name, options, context);
    see(span, name, options ?? {}, above);
    return span;
  };

  const startActiveSpan = tracer.startActiveSpan as (...args: unknown[]) => unknown;
  tracer.startActiveSpan = ((name: string, ...rest: unknown[]) => {
    const code = rest.pop() as (span: Span) => unknown;
    const [options, context] = rest as [SpanOptions?, Context?];
    const above = context ?? mirror.active();
    return startActiveSpan.call(tracer, name, ...rest, (span: Span) => {
      see(span, name, options ?? {}, above);
      return code(span);
    });
  }) as Tracer["startActiveSpan"];
}

/** Some providers compute these at each access, and go on changing them. */
function plainContext({ traceId, spanId, traceFlags, traceState, isRemote }: SpanContext): SpanContext {
  return { traceId, spanId, traceFlags, ...(traceState && { traceState }), ...(isRemote && { isRemote }) };
}

function mirrorSpan(span: Span, ours: Span): void {
  const target = span as unknown as Record<string, unknown>;
  const mirror = ours as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of COPIED_CALLS) {
    const original = target[name];
    if (typeof original !== "function") continue;
    target[name] = (...args: unknown[]) => {
      const result = Reflect.apply(original, span, args);
      mirror[name]?.(...args);
      return result;
    };
  }
}
