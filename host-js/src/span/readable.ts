/**
 * What a finished span looks like, in the words of OpenTelemetry SDK 1.x, 2.x and 3.x alike.
 *
 * The package depends on no SDK (its ranges exclude one another), so this names the parts that are read, structurally.
 */

import type { Attributes, HrTime, SpanContext, SpanKind } from "@opentelemetry/api";

export interface Resource {
  readonly attributes: Attributes;
  /** Resource detectors may still be at work when the first spans end. */
  readonly asyncAttributesPending?: boolean | undefined;
  readonly schemaUrl?: string | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

export interface Scope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
}

export interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

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
