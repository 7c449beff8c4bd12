/** Tracers of this package. They respect what an SDK's tracer would: suppression, the parent's sampling, `root`. */

import type { Context, Link, Span, SpanContext, SpanOptions, Tracer } from "@opentelemetry/api";
import { readText } from "../settings/environment.js";
import type { ReadableSpan, Resource, Scope } from "../span/readable.js";
import type { Api } from "./api-copies.js";
import { SUPPRESS_TRACING } from "./context-manager.js";
import { trueContext } from "./lineage.js";
import { OwnSpan } from "./own-span.js";
import type { Sampler } from "./sampler.js";

const SAMPLED = 1;

/** What tracers ask for whenever a span starts. */
export interface OwnTracerParts {
  api: () => Api;
  /** Whether spans are recorded at all. */
  enabled: () => boolean;
  /** Decides for new traces, and for spans of sampled parents. */
  sampler: () => Sampler;
  /** Whether the user's provider must not notice these spans. */
  hidden: () => boolean;
  onEnd: (span: ReadableSpan) => void;
}

/** `code` of `startActiveSpan(name, options?, context?, code)`. */
type Code = (span: Span) => unknown;

/** A tracer for one instrumentation scope. */
export class OwnTracer implements Tracer {
  constructor(
    private readonly parts: OwnTracerParts,
    private readonly scope: Scope,
  ) {}

  startSpan(name: string, options: SpanOptions = {}, context?: Context): Span {
    const { trace, context: contexts } = this.parts.api();
    let above = context ?? contexts.active();
    if (options.root) above = trace.deleteSpan(above);
    const parentSpan = trace.getSpan(above);
    const shownParent = parentSpan?.spanContext();
    const parent = validOrNone(trueContext(parentSpan) ?? shownParent, trace.isSpanContextValid);
    const noop = () => this.#noopContext(shownParent);
    if (!this.parts.enabled() || above.getValue(SUPPRESS_TRACING) === true) return trace.wrapSpanContext(noop());

    const traceId = parent?.traceId ?? randomHex(16);
    const own: SpanContext = {
      traceId,
      spanId: randomHex(8),
      traceFlags: SAMPLED,
      ...(parent?.traceState ? { traceState: parent.traceState } : {}),
    };
    if (!this.parts.sampler()(traceId, parent?.traceFlags)) {
      // Children see an unsampled parent, unless the user's provider must not notice.
      return trace.wrapSpanContext(this.parts.hidden() ? noop() : { ...own, traceFlags: 0 });
    }
    return this.#span(name, options, own, parent, () => (this.parts.hidden() ? noop() : own));
  }

  /** A span with the same context as a span of a provider that is not an SDK. */
  mirror(name: string, options: SpanOptions, context: Context, spanContext: SpanContext): Span {
    const { trace } = this.parts.api();
    if (!this.parts.enabled()) return trace.wrapSpanContext(spanContext);
    const parentSpan = options.root ? undefined : trace.getSpan(context);
    const parent = validOrNone(trueContext(parentSpan) ?? parentSpan?.spanContext(), trace.isSpanContextValid);
    return this.#span(name, options, spanContext, parent, () => spanContext);
  }

  #span(
    name: string,
    options: SpanOptions,
    context: SpanContext,
    parent: SpanContext | undefined,
    shown: () => SpanContext,
  ): Span {
    return new OwnSpan({
      name,
      kind: options.kind ?? 0,
      context,
      parent,
      scope: this.scope,
      resource: ownResource(),
      attributes: options.attributes,
      links: options.links as Link[] | undefined,
      startTime: options.startTime,
      shown,
      onEnd: this.parts.onEnd,
    });
  }

  startActiveSpan<F extends Code>(name: string, code: F): ReturnType<F>;
  startActiveSpan<F extends Code>(name: string, options: SpanOptions, code: F): ReturnType<F>;
  startActiveSpan<F extends Code>(name: string, options: SpanOptions, context: Context, code: F): ReturnType<F>;
  startActiveSpan(name: string, ...rest: unknown[]): unknown {
    const code = rest.pop() as Code;
    const [options, context] = rest as [SpanOptions?, Context?];
    const { trace, context: contexts } = this.parts.api();
    const above = context ?? contexts.active();
    const span = this.startSpan(name, options, above);
    return contexts.with(trace.setSpan(above, span), code, undefined, span);
  }

  /** What the API's no-op tracer would show: the parent's context, or an invalid one. */
  #noopContext(parent: SpanContext | undefined): SpanContext {
    const { trace } = this.parts.api();
    return parent && trace.isSpanContextValid(parent) ? parent : INVALID;
  }
}

/** `INVALID_SPAN_CONTEXT` of the API. */
const INVALID: SpanContext = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };

function validOrNone(
  context: SpanContext | undefined,
  isValid: (context: SpanContext) => boolean,
): SpanContext | undefined {
  return context && isValid(context) ? context : undefined;
}

/** As OpenTelemetry's own generator: ids must be distinct, not secret, and Node 18 has no global `crypto`. */
export function randomHex(bytes: number): string {
  let hex = "";
  while (hex.length < bytes * 2)
    hex += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  // All zeros is an invalid id.
  return hex.endsWith("00000000") ? `${hex.slice(0, -1)}1` : hex;
}

let resource: Resource | undefined;

/** From `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, as the default resource of an SDK. */
export function ownResource(): Resource {
  if (resource) return resource;
  const attributes: Record<string, string> = { "service.name": "unknown_service:node" };
  for (const pair of (readText("OTEL_RESOURCE_ATTRIBUTES") ?? "").split(",")) {
    const [key, ...value] = pair.split("=");
    if (key?.trim() && value.length > 0) attributes[key.trim()] = decode(value.join("=").trim());
  }
  const serviceName = readText("OTEL_SERVICE_NAME");
  if (serviceName) attributes["service.name"] = serviceName;
  resource = { attributes };
  return resource;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
