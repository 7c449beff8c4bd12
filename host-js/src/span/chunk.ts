/**
 * Writes spans into a chunk as they end.
 *
 * Writing takes a snapshot: later changes of a span do not change the chunk. Resources are kept by reference until the
 * chunk is sealed, because their detectors may still be running. `wasm/src/chunk/mod.rs` describes the layout.
 */

import type { Attributes } from "@opentelemetry/api";
import type { ReadableSpan, Resource, Scope } from "./readable.js";
import { writeAttributes } from "./value.js";
import { Writer } from "./writer.js";

/** The real trace and parent of a span, where the application sees others; see `provider/lineage.ts`. */
export interface Lineage {
  /** The trace that another trace is part of. */
  traceId(traceId: string): string;
  /** The parent that the application's provider does not know. */
  parentSpanId(span: object): string | undefined;
}

/** A user's hook on attribute values. It may throw. */
export type Mask = (value: unknown, key: string) => unknown;

/** The spans of one chunk, ready for the translator. */
export interface SealedChunk {
  bytes: Uint8Array;
  spans: number;
}

/** The attribute by which the core knows a span that the filter omits. */
const OMIT = "openinference_mlflow.omit";

/** OTLP's `SpanFlags`: the parent's remoteness is known, and it is remote. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** A chunk under construction. */
export class Chunk {
  #out = new Writer();
  #resources: Resource[] = [];
  #scopes: Scope[] = [];
  spans = 0;

  constructor(
    private readonly lineage: Lineage,
    private readonly mask: () => Mask | undefined,
  ) {}

  get bytes(): number {
    return this.#out.length;
  }

  /** Writes only the place of a span in its trace, for a span that the filter omits. */
  addOmitted(span: ReadableSpan): void {
    this.add(
      Object.create(span, {
        attributes: { value: { [OMIT]: true } },
        events: { value: [] },
        links: { value: [] },
        name: { value: "" },
        status: { value: { code: 0 } },
      }) as ReadableSpan,
    );
  }

  /** Writes a span. If that throws (in a getter or the mask of the application), the chunk is as before. */
  add(span: ReadableSpan): void {
    const out = this.#out;
    if (this.spans === 0) out.u32(0);
    const { length, keys } = out;
    try {
      this.#write(span);
      this.spans++;
    } catch (error) {
      if (this.spans === 0) out.take();
      else out.rewind(length, keys);
      throw error;
    }
  }

  /** Resources whose attributes are not complete yet. */
  pendingResources(): Promise<void>[] {
    const pending = this.#resources.filter((resource) => resource.asyncAttributesPending);
    return pending.map(async (resource) => resource.waitForAsyncAttributes?.());
  }

  /** Ends the chunk; the next span begins another. */
  seal(): SealedChunk {
    const out = this.#out;
    out.u32At(0, out.length);
    out.u16(this.#resources.length);
    for (const resource of this.#resources) {
      writeAttributes(out, resource.attributes);
      out.text(resource.schemaUrl ?? "");
    }
    out.u16(this.#scopes.length);
    for (const scope of this.#scopes) {
      out.text(scope.name ?? "");
      out.text(scope.version ?? "");
      out.text(scope.schemaUrl ?? "");
    }
    const sealed = { bytes: out.take(), spans: this.spans };
    this.#resources = [];
    this.#scopes = [];
    this.spans = 0;
    return sealed;
  }

  #write(span: ReadableSpan): void {
    const out = this.#out;
    const { lineage } = this;
    const context = span.spanContext();
    out.u16(indexOf(this.#resources, span.resource));
    out.u16(indexOf(this.#scopes, span.instrumentationScope ?? span.instrumentationLibrary ?? { name: "" }));
    out.id(lineage.traceId(context.traceId));
    out.id(context.spanId);
    out.id(lineage.parentSpanId(span) ?? span.parentSpanContext?.spanId ?? span.parentSpanId);
    out.text(context.traceState?.serialize() ?? "");
    out.u32(flags(context.traceFlags, span.parentSpanContext?.isRemote));
    out.text(span.name);
    // The API counts kinds from INTERNAL = 0, OTLP from UNSPECIFIED = 0.
    out.u8((span.kind ?? 0) + 1);
    this.#time(span.startTime);
    this.#time(span.endTime);
    this.#attributes(span.attributes);
    out.u32(span.droppedAttributesCount ?? 0);
    out.u32(span.events.length);
    for (const event of span.events) {
      out.text(event.name);
      this.#time(event.time);
      this.#attributes(event.attributes);
      out.u32(event.droppedAttributesCount ?? 0);
    }
    out.u32(span.droppedEventsCount ?? 0);
    out.u32(span.links.length);
    for (const link of span.links) {
      out.id(lineage.traceId(link.context.traceId));
      out.id(link.context.spanId);
      out.text(link.context.traceState?.serialize() ?? "");
      out.u32(flags(link.context.traceFlags, link.context.isRemote));
      this.#attributes(link.attributes);
      out.u32(link.droppedAttributesCount ?? 0);
    }
    out.u32(span.droppedLinksCount ?? 0);
    out.u8(span.status.code);
    this.#text(span.status.message, "status.message");
  }

  #time(time: readonly [number, number]): void {
    this.#out.f64(time[0]);
    this.#out.f64(time[1]);
  }

  #text(text: string | undefined, key: string): void {
    const mask = this.mask();
    const masked = text && mask ? mask(text, key) : text;
    this.#out.text(typeof masked === "string" ? masked : "");
  }

  #attributes(attributes: Attributes | undefined): void {
    const mask = this.mask();
    writeAttributes(this.#out, mask ? masked(attributes, mask) : attributes);
  }
}

function masked(attributes: Attributes | undefined, mask: Mask): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes ?? {}).map(([key, value]) => [key, mask(value, key)]));
}

function flags(traceFlags: number | undefined, isRemote: boolean | undefined): number {
  return ((traceFlags ?? 0) & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
}

/** A chunk has few resources and scopes: searching a list is faster than building a map. */
function indexOf<T>(known: T[], item: T): number {
  const index = known.indexOf(item);
  return index >= 0 ? index : known.push(item) - 1;
}
