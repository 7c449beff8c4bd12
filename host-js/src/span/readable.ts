/**
 * A finished span of OpenTelemetry SDK 1.x, 2.x or 3.x.
 *
 * The package cannot depend on the SDKs, because their version ranges exclude one another. So these types name the parts
 * that this package reads.
 */

import type { Attributes, HrTime, SpanContext, SpanKind } from "@opentelemetry/api";

/** The entity that made the span. */
export interface Resource {
  readonly attributes: Attributes;
  /** Resource detectors may still be running when the first spans end. */
  readonly asyncAttributesPending?: boolean | undefined;
  readonly schemaUrl?: string | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

/** The instrumentation that made the span. */
export interface Scope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
}

/** An event of a span. */
export interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** A link to another span. */
export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

/** A finished span: `ReadableSpan` of every supported SDK satisfies this. */
export interface ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  spanContext(): SpanContext;
  /** SDK 2 and 3. */
  readonly parentSpanContext?: SpanContext | undefined;
  /** SDK 1. */
  readonly parentSpanId?: string | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: { readonly code: number; readonly message?: string | undefined };
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly events: readonly SpanEvent[];
  readonly resource: Resource;
  /** SDK 2 and 3. */
  readonly instrumentationScope?: Scope | undefined;
  /** SDK 1. */
  readonly instrumentationLibrary?: Scope | undefined;
  readonly droppedAttributesCount?: number | undefined;
  readonly droppedEventsCount?: number | undefined;
  readonly droppedLinksCount?: number | undefined;
}
