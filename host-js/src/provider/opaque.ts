/**
 * Providers that are no SDK of OpenTelemetry's: all that can be seen is what goes through the API.
 *
 * Each span that such a provider records gets a mirror of our own under the same context, which is told everything that
 * the span is told, and which ends with it. The application keeps the provider's own spans.
 */

import type { Context, Span, SpanContext, SpanOptions, Tracer, TracerProvider } from "@opentelemetry/api";
import type { Scope } from "../span/readable.js";

export interface MirrorSpan {
  name: string;
  options: SpanOptions;
  /** In which the span began: holds its parent. */
  context: Context;
  spanContext: SpanContext;
  scope: Scope;
}

export interface Mirror {
  active(): Context;
  /** Makes a span of ours that stands for one of theirs. */
  span(theirs: MirrorSpan): Span;
}

const TOLD = ["setAttribute", "setAttributes", "addEvent", "addLink", "addLinks", "setStatus", "updateName"] as const;

export function mirrorProvider(provider: TracerProvider, mirror: Mirror): void {
  const getTracer = provider.getTracer;
  const mirrored = new WeakSet<Tracer>();
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
    mirrorSpan(span, mirror.span({ name, options, context, spanContext: span.spanContext(), scope }));
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

function mirrorSpan(span: Span, ours: Span): void {
  const target = span as unknown as Record<string, unknown>;
  const mirror = ours as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of [...TOLD, "recordException", "end"]) {
    const original = target[name];
    if (typeof original !== "function") continue;
    target[name] = (...args: unknown[]) => {
      const result = Reflect.apply(original, span, args);
      mirror[name]?.(...args);
      return result;
    };
  }
}
