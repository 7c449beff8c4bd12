/** Tracers of this package's own. They honour what an SDK's would: suppression, unsampled parents, `root`. */

import type { Context, Link, Span, SpanContext, SpanOptions, Tracer } from "@opentelemetry/api";
import { readText } from "../settings/environment.js";
import type { ReadableSpan, Resource, Scope } from "../span/readable.js";
import type { Api } from "./api.js";
import { trueContext } from "./lineage.js";
import { OwnSpan } from "./own-span.js";

const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const SAMPLED = 1;

export interface OwnTracerParts {
  api: () => Api;
  /** Whether spans are to be recorded at all. */
  enabled: () => boolean;
  /** Whether the user's provider must not notice these spans. */
  hidden: () => boolean;
  onEnd: (span: ReadableSpan) => void;
}

/** `code` of `startActiveSpan(name, options?, context?, code)`. */
type Code = (span: Span) => unknown;

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
    if (parent && (parent.traceFlags & SAMPLED) === 0) return trace.wrapSpanContext(noop());

    const own: SpanContext = {
      traceId: parent?.traceId ?? randomHex(16),
      spanId: randomHex(8),
      traceFlags: SAMPLED,
      ...(parent?.traceState ? { traceState: parent.traceState } : {}),
    };
    return this.#span(name, options, own, parent, () => (this.parts.hidden() ? noop() : own));
  }

  /** A span that stands for another of the same context. */
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

  /** What the API's no-op tracer would show: the parent's context, or none. */
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

/** As OpenTelemetry's own generator: ids are to be distinct, not secret, and Node 18 has no global `crypto`. */
function randomHex(bytes: number): string {
  let hex = "";
  while (hex.length < bytes * 2)
    hex += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  // All zeros is the one invalid id.
  return hex.endsWith("00000000") ? `${hex.slice(0, -1)}1` : hex;
}

let resource: Resource | undefined;

/** From `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, as an SDK's default resource. */
function ownResource(): Resource {
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
