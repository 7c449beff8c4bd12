/**
 * A span that this package makes, for tracers without a provider. It has no limit on attributes.
 *
 * The application uses it as the API's `Span`, the processor as a `ReadableSpan`.
 */

import type {
  Attributes,
  AttributeValue,
  Exception,
  HrTime,
  Link,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import type { ReadableSpan, Resource, Scope, SpanEvent, SpanLink } from "../span/readable.js";
import { TRUE_CONTEXT } from "./lineage.js";

const UNSET = 0;
const OK = 1;

/** What a span is made of. */
export interface OwnSpanParts {
  name: string;
  kind: SpanKind;
  context: SpanContext;
  parent: SpanContext | undefined;
  scope: Scope;
  resource: Resource;
  attributes: Attributes | undefined;
  links: Link[] | undefined;
  startTime: TimeInput | undefined;
  /** The context that the span shows to the application. */
  shown: () => SpanContext;
  onEnd: (span: ReadableSpan) => void;
}

/** A span without limits. */
export class OwnSpan implements Span, ReadableSpan {
  readonly [TRUE_CONTEXT]: SpanContext;
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext: SpanContext | undefined;
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  status: SpanStatus = { code: UNSET };
  readonly attributes: Record<string, AttributeValue> = {};
  readonly links: SpanLink[];
  readonly events: SpanEvent[] = [];
  readonly resource: Resource;
  readonly instrumentationScope: Scope;
  #ended = false;
  /** The span's own clock: the wall clock once, the monotonic one from then on. */
  readonly #offset = Date.now() - performance.now();
  readonly #parts: OwnSpanParts;

  constructor(parts: OwnSpanParts) {
    this.#parts = parts;
    this[TRUE_CONTEXT] = parts.context;
    this.name = parts.name;
    this.kind = parts.kind;
    this.parentSpanContext = parts.parent;
    this.resource = parts.resource;
    this.instrumentationScope = parts.scope;
    this.links = [...(parts.links ?? [])];
    this.startTime = this.#time(parts.startTime);
    this.setAttributes(parts.attributes ?? {});
  }

  spanContext(): SpanContext {
    return this.#parts.shown();
  }

  /** The finished span with its real context, for the processor. */
  readable(): ReadableSpan {
    return Object.create(this, { spanContext: { value: () => this[TRUE_CONTEXT] } });
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.#ended && value !== undefined && value !== null) this.attributes[key] = copy(value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined) this.setAttribute(key, value);
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.#ended) return this;
    const isTime = isTimeInput(attributesOrTime);
    this.events.push({
      name,
      time: this.#time(isTime ? attributesOrTime : time),
      attributes: isTime ? {} : { ...attributesOrTime },
    });
    return this;
  }

  addLink(link: Link): this {
    if (!this.#ended) this.links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    // OK is final, and UNSET never overrides: the specification's "Set Status".
    if (!this.#ended && status.code !== UNSET && this.status.code !== OK) this.status = { ...status };
    return this;
  }

  updateName(name: string): this {
    if (!this.#ended) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const parts = typeof exception === "string" ? { message: exception } : exception;
    const attributes: Attributes = {};
    const type = parts.code?.toString() ?? parts.name;
    if (type) attributes["exception.type"] = type;
    if (parts.message) attributes["exception.message"] = parts.message;
    if (parts.stack) attributes["exception.stacktrace"] = parts.stack;
    this.addEvent("exception", attributes, time);
  }

  end(time?: TimeInput): void {
    if (this.#ended) return;
    const end = this.#time(time);
    const [seconds, nanoseconds] = this.startTime;
    const backwards = end[0] < seconds || (end[0] === seconds && end[1] < nanoseconds);
    this.endTime = backwards ? this.startTime : end;
    this.#ended = true;
    this.#parts.onEnd(this.readable());
  }

  isRecording(): boolean {
    return !this.#ended;
  }

  #time(input: TimeInput | undefined): HrTime {
    if (Array.isArray(input)) return input;
    if (input instanceof Date) return fromMillis(input.getTime());
    // A number below the monotonic clock's reading is one of its readings.
    if (typeof input === "number") return fromMillis(input <= performance.now() ? input + this.#offset : input);
    return fromMillis(performance.now() + this.#offset);
  }
}

function fromMillis(millis: number): HrTime {
  const seconds = Math.floor(millis / 1000);
  return [seconds, Math.round((millis - seconds * 1000) * 1e6)];
}

function copy(value: AttributeValue): AttributeValue {
  return Array.isArray(value) ? ([...value] as AttributeValue) : value;
}

function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
