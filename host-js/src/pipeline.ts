/**
 * From a finished span to its delivery: the current settings, and the deliveries for these and for earlier settings.
 *
 * Nothing here throws into the application, and no promise rejects.
 */

import { Delivery, experimentUrl } from "./delivery/delivery.js";
import type { Report } from "./delivery/report.js";
import { type DeliveryStats, NO_SPANS, sum } from "./delivery/stats.js";
import { after, type Timer } from "./delivery/time.js";
import type { SuppressTracing } from "./delivery/transport.js";
import { keepAliveUntil } from "./delivery/vercel.js";
import type { Settings, Target } from "./settings/resolve.js";
import type { Lineage } from "./span/chunk.js";
import type { ReadableSpan } from "./span/readable.js";

const SAMPLED = 1;

/** How often deliveries for earlier settings are looked at, and closed when they have nothing left. */
const SWEEP_MILLIS = 1_000;

/** So many traces are remembered for `getTraceUrl`. */
const MAX_TRACES = 1_000;

/** What a pipeline needs beside its settings. */
export interface PipelineParts {
  lineage: Lineage;
  report: Report;
  suppressTracing: SuppressTracing;
  /** Called when a retired pipeline has nothing left. */
  closed?: (pipeline: Pipeline) => void;
}

/** The way of spans from processors to MLflow. */
export class Pipeline {
  #settings: Settings;
  #target: Target;
  /** By their settings: the current one, and earlier ones that still hold spans. */
  readonly #deliveries = new Map<string, Delivery>();
  #key = "";
  #closed = NO_SPANS;
  /** Spans that no delivery has taken. */
  #refused = { dropped: 0, filtered: 0 };
  #sweep: Timer | undefined;
  #retired = false;
  readonly #traces = new Map<string, { delivery: Delivery; target: Target; trackingUri: string }>();
  #lastTraceId: string | undefined;

  constructor(
    settings: Settings,
    private readonly parts: PipelineParts,
  ) {
    this.#settings = settings;
    this.#target = settings.target;
    this.configure(settings);
  }

  /** The current settings. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Spans that have ended keep their destination. Spans that end from now on follow the new settings. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.parts.report.silent = settings.silent;
    // The same target stays the same object, so that comparing two spans' targets is cheap.
    if (JSON.stringify(settings.target) !== JSON.stringify(this.#target)) this.#target = settings.target;
    const key = JSON.stringify(settings.delivery);
    if (key === this.#key) return;
    const earlier = this.#deliveries.get(this.#key);
    this.#key = key;
    if (!earlier) return;
    void earlier.flush(settings.flushTimeoutMillis);
    this.#sweepLater();
  }

  /** Takes a finished span. */
  onEnd(span: ReadableSpan): void {
    try {
      if (!this.#settings.enabled || (span.spanContext().traceFlags & SAMPLED) === 0) return;
      // MLflow's own TypeScript SDK sends its spans itself.
      if ("mlflow.traceRequestId" in span.attributes) {
        this.#refused.filtered++;
        return;
      }
      const isOmitted = this.#isOmitted(span);
      if (!isOmitted) this.#noticeLimits(span);
      this.#current().add(span, this.#target, isOmitted);
      if (isRoot(span)) {
        this.#remember(this.parts.lineage.traceId(span.spanContext().traceId));
        keepAliveUntil(() => this.flush());
      }
    } catch {
      // It is not a span, or one of its getters throws: there is nothing to send.
      this.#refused.dropped++;
    }
  }

  /** Sends the feedback of a carrier span. MLflow does not store the carrier. */
  sendFeedback(carrier: ReadableSpan): void {
    this.#current().add(carrier, this.#target);
  }

  /** Sends everything that has ended so far. */
  async flush(limitMillis?: number): Promise<void> {
    await this.#flush(this.#settings.flushTimeoutMillis, limitMillis);
  }

  /** Flushes at the end of the process, with less patience. */
  async flushAtExit(): Promise<void> {
    await this.#flush(Math.min(this.#settings.flushTimeoutMillis, 5_000));
  }

  /** Blocks this thread until everything is sent; returns how many spans are left. */
  drainNow(deadline: number): number {
    let left = 0;
    for (const delivery of this.#deliveries.values()) {
      left += delivery.drainNow(Math.max(0, deadline - performance.now()));
    }
    return left;
  }

  /** Why spans wait, if the server is the reason. */
  get trouble(): string | undefined {
    return [...this.#deliveries.values()].map((delivery) => delivery.trouble).find((trouble) => trouble !== undefined);
  }

  /** Counts spans. */
  stats(): DeliveryStats {
    const { dropped, filtered } = this.#refused;
    const refused = { ...NO_SPANS, received: dropped + filtered, dropped, filtered };
    return sum([this.#closed, refused, ...[...this.#deliveries.values()].map((delivery) => delivery.stats())]);
  }

  /** The last trace whose root span has ended. */
  get lastTraceId(): string | undefined {
    return this.#lastTraceId;
  }

  /** Where MLflow shows a trace of this pipeline; `undefined` before its experiment is known. */
  traceUrl(traceId: string): string | undefined {
    const trace = this.#traces.get(traceId);
    const experimentId = trace?.delivery.experimentId(trace.target);
    if (!trace || experimentId === undefined) return undefined;
    return `${experimentUrl(trace.trackingUri, experimentId)}?selectedEvaluationId=tr-${traceId}`;
  }

  /** Flushes, and closes every delivery as soon as it has nothing left. */
  async retire(): Promise<void> {
    await this.flush();
    this.#key = "";
    this.#retired = true;
    this.#closeIdle();
  }

  async #flush(patienceMillis: number, limitMillis?: number): Promise<void> {
    const deliveries = [...this.#deliveries.values()];
    await Promise.all(deliveries.map((delivery) => delivery.flush(patienceMillis, limitMillis)));
  }

  #current(): Delivery {
    const known = this.#deliveries.get(this.#key);
    if (known) return known;
    const { lineage, report, suppressTracing } = this.parts;
    const settings = this.#settings.delivery;
    const delivery = new Delivery({ settings, mask: () => this.#settings.mask, lineage, report, suppressTracing });
    this.#deliveries.set(this.#key, delivery);
    if (this.#retired) this.#sweepLater();
    return delivery;
  }

  #sweepLater(): void {
    this.#sweep ??= after(SWEEP_MILLIS, () => {
      this.#sweep = undefined;
      this.#closeIdle();
    });
  }

  #closeIdle(): void {
    for (const [key, delivery] of this.#deliveries) {
      if ((key === this.#key && !this.#retired) || !delivery.idle) continue;
      this.#deliveries.delete(key);
      this.#closed = sum([this.#closed, delivery.stats()]);
      delivery.close();
    }
    if (this.#deliveries.size > (this.#retired ? 0 : 1)) this.#sweepLater();
    if (this.#retired && this.#deliveries.size === 0) this.parts.closed?.(this);
  }

  #remember(traceId: string): void {
    this.#lastTraceId = traceId;
    const { trackingUri } = this.#settings.delivery;
    this.#traces.set(traceId, { delivery: this.#current(), target: this.#target, trackingUri });
    if (this.#traces.size <= MAX_TRACES) return;
    const [oldest] = this.#traces.keys();
    this.#traces.delete(oldest as string);
  }

  #isOmitted(span: ReadableSpan): boolean {
    const { filter } = this.#settings;
    if (!filter) return false;
    try {
      return !filter(span);
    } catch {
      this.parts.report.warn("filter", "the filter threw an exception: the span is kept");
      return false;
    }
  }

  #noticeLimits(span: ReadableSpan): void {
    if (!span.droppedAttributesCount) return;
    this.parts.report.warn(
      "limits",
      `the OpenTelemetry SDK has dropped ${span.droppedAttributesCount} attributes of a span, which MLflow will lack: ` +
        "raise its limit, for instance OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=100000 or the provider's spanLimits",
    );
  }
}

function isRoot(span: ReadableSpan): boolean {
  return !span.parentSpanContext && !span.parentSpanId;
}
