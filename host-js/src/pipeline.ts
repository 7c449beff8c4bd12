/**
 * From a finished span to its delivery: the settings that hold now, and the deliveries that they and earlier ones made.
 *
 * Nothing here throws into the application, and nothing rejects.
 */

import { Delivery } from "./delivery/delivery.js";
import type { Report } from "./delivery/report.js";
import { type DeliveryStats, NO_SPANS, sum } from "./delivery/stats.js";
import type { Quietly } from "./delivery/transport.js";
import { keepAliveUntil } from "./delivery/vercel.js";
import type { Settings, Target } from "./settings/resolve.js";
import type { Lineage } from "./span/chunk.js";
import type { ReadableSpan } from "./span/readable.js";

const SAMPLED = 1;

export class Pipeline {
  #settings: Settings;
  #target: Target;
  #delivery: Delivery | undefined;
  #deliveryKey = "";
  /** Deliveries to servers that are no longer the current one, until they are through. */
  #earlier = new Set<Delivery>();
  #closed = NO_SPANS;
  #unreadable = 0;

  constructor(
    settings: Settings,
    private readonly lineage: Lineage,
    readonly report: Report,
    private readonly quietly: Quietly,
  ) {
    this.#settings = settings;
    this.#target = settings.target;
    this.configure(settings);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** What has ended goes where it belonged; what ends from now on follows the new settings. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.report.silent = settings.silent;
    // The same target is the same object, so that a span need not compare its parts.
    if (JSON.stringify(settings.target) !== JSON.stringify(this.#target)) this.#target = settings.target;
    const key = JSON.stringify(settings.delivery);
    if (key === this.#deliveryKey) return;
    this.#deliveryKey = key;
    const before = this.#delivery;
    this.#delivery = undefined;
    if (before && !before.idle) {
      this.#earlier.add(before);
      void before.flush(settings.flushTimeoutMillis).then(() => {
        if (before.idle) this.#close(before);
      });
    } else if (before) {
      this.#close(before);
    }
  }

  onEnd(span: ReadableSpan): void {
    try {
      if (this.#wants(span)) {
        this.#noticeLimits(span);
        this.#current().add(span, this.#target);
        if (!span.parentSpanContext && !span.parentSpanId) keepAliveUntil(() => this.flush());
      }
    } catch {
      // What threw is not a span, or its getters do: there is nothing to send.
      this.#unreadable++;
    }
  }

  async flush(limitMillis?: number): Promise<void> {
    await this.#flush(this.#settings.flushTimeoutMillis, limitMillis);
  }

  /** The last flush: says what could not be sent. */
  async flushAtExit(): Promise<void> {
    await this.#flush(Math.min(this.#settings.flushTimeoutMillis, 5_000));
  }

  get idle(): boolean {
    return this.#deliveries().every((delivery) => delivery.idle);
  }

  stats(): DeliveryStats {
    const unreadable = { ...NO_SPANS, received: this.#unreadable, dropped: this.#unreadable };
    return sum([this.#closed, unreadable, ...this.#deliveries().map((delivery) => delivery.stats())]);
  }

  async #flush(patienceMillis: number, limitMillis?: number): Promise<void> {
    await Promise.all(this.#deliveries().map((delivery) => delivery.flush(patienceMillis, limitMillis)));
  }

  #deliveries(): Delivery[] {
    return this.#delivery ? [...this.#earlier, this.#delivery] : [...this.#earlier];
  }

  #current(): Delivery {
    const { lineage, report, quietly } = this;
    const mask = () => this.#settings.mask;
    this.#delivery ??= new Delivery({ settings: this.#settings.delivery, mask, lineage, report, quietly });
    return this.#delivery;
  }

  #close(delivery: Delivery): void {
    this.#earlier.delete(delivery);
    delivery.close();
    this.#closed = sum([this.#closed, { ...delivery.stats(), pending: 0 }]);
  }

  #wants(span: ReadableSpan): boolean {
    const { enabled, filter } = this.#settings;
    if (!enabled || (span.spanContext().traceFlags & SAMPLED) === 0) return false;
    // MLflow's own TypeScript SDK sends its spans itself.
    if ("mlflow.traceRequestId" in span.attributes) return false;
    if (!filter) return true;
    try {
      return filter(span);
    } catch {
      this.report.warn("filter", "the filter threw an exception: the span is kept");
      return true;
    }
  }

  #noticeLimits(span: ReadableSpan): void {
    if (!span.droppedAttributesCount) return;
    this.report.warn(
      "limits",
      `the OpenTelemetry SDK has dropped ${span.droppedAttributesCount} attributes of a span, which MLflow will lack: ` +
        "raise its limit, for instance OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=100000 or the provider's spanLimits",
    );
  }
}
