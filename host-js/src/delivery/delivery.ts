/**
 * Spans to one MLflow server: chunks are queued, handed to the core a few at a time, and the core's requests performed.
 *
 * Bounded: what the queue and the core hold stays below the settings' limits, and what does not fit is dropped, counted
 * and reported. Unhurried: one chunk a turn of the event loop. Nothing here throws into the caller.
 */

import type { BridgeEvent, Stats } from "../generated/translator.js";
import type { DeliverySettings, Target } from "../settings/resolve.js";
import { Chunk, type Lineage, type Mask, type SealedChunk } from "../span/chunk.js";
import type { ReadableSpan } from "../span/readable.js";
import { openBridge, type TranslatorBridge } from "../translator/load.js";
import { now } from "./clock.js";
import type { Report } from "./report.js";
import type { DeliveryStats } from "./stats.js";
import { after, soon, type Timer } from "./timers.js";
import { perform, type Quietly } from "./transport.js";

/** A chunk is full at either. What one turn of the event loop costs follows from them. */
const CHUNK_SPANS = 32;
const CHUNK_BYTES = 256 * 1024;

/** How long a chunk that is not full waits for more spans. */
const LINGER_MILLIS = 25;

/** A flush waits no longer for a server that cannot be reached: the application may be waiting for its own shutdown. */
const UNREACHABLE_MILLIS = 2_000;

/**
 * How often the core is asked for requests. Each costs the server the same whatever it holds, and the core sends what has
 * settled by then: asked more often it would send many small ones.
 */
const POLL_MILLIS = 50;

/** How long resource detectors may take. */
const RESOURCE_MILLIS = 5_000;

interface QueuedChunk extends SealedChunk {
  /** Counts chunks from 1. */
  sequence: number;
  target: Target;
}

export interface DeliveryParts {
  settings: DeliverySettings;
  lineage: Lineage;
  /** The mask that holds now. */
  mask: () => Mask | undefined;
  report: Report;
  quietly: Quietly;
}

export class Delivery {
  readonly #parts: DeliveryParts;
  #chunk: Chunk;
  #bridge: TranslatorBridge | undefined;
  #broken = false;
  #target: Target | undefined;
  #queue: QueuedChunk[] = [];
  #queuedBytes = 0;
  #queuedSpans = 0;
  #sequence = 0;
  /** Chunks that are not in MLflow yet, in order. */
  #unfinished = new Set<number>();
  #receipts = new Map<number, number>();
  /** Chunks that wait for their resource. */
  #sealing = 0;
  #received = 0;
  #dropped = 0;
  /** The core was full: not before this instant. */
  #fullUntil = 0;
  /** Not before this instant is the core asked again, a flush aside. */
  #pollAt = 0;
  #lingering: Timer | undefined;
  #wakeup: Timer | undefined;
  #turnIsComing = false;
  #flushes = new Set<() => void>();
  /** A flush that the core has not heard of yet. */
  #flushIsNews = false;
  /** When the server last took something, or a flush began. */
  #progressAt = 0;
  /** When the server last did not answer. */
  #silenceAt = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#chunk = new Chunk(parts.lineage, parts.mask);
  }

  /** Takes a finished span for its experiment. */
  add(span: ReadableSpan, target: Target): void {
    this.#received++;
    if (!this.#fits()) {
      this.#drop(1, "the queue is full: MLflow takes spans more slowly than the application makes them");
      return;
    }
    if (this.#chunk.spans > 0 && target !== this.#target) this.#seal();
    this.#target = target;
    try {
      this.#chunk.add(span);
    } catch (error) {
      this.#drop(1, `a span cannot be read (${error instanceof Error ? error.name : "unknown error"})`);
      return;
    }
    if (this.#chunk.spans >= CHUNK_SPANS || this.#chunk.bytes >= CHUNK_BYTES) this.#seal();
    else if (this.#chunk.spans === 1) this.#linger();
  }

  stats(): DeliveryStats {
    const core = this.#coreStats();
    return {
      received: this.#received,
      delivered: core?.spansDelivered ?? 0,
      dropped: this.#dropped,
      setAside: core?.spansSetAside ?? 0,
      pending: this.#chunk.spans + this.#queuedSpans + (core?.openSpans ?? 0),
    };
  }

  /** Everything that came in is in MLflow, or was dropped and counted. */
  get idle(): boolean {
    if (this.#broken) return true;
    return this.#chunk.spans === 0 && this.#unfinished.size === 0;
  }

  /** Sends what came in before, finished or not. Never rejects; gives up after `patienceMillis` without progress. */
  async flush(patienceMillis: number, limitMillis = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#chunk.spans > 0) this.#seal();
    const last = this.#sequence;
    if (this.#isThrough(last)) return;
    this.#progressAt = now();
    this.#flushIsNews = true;
    const limit = this.#progressAt + limitMillis;
    await new Promise<void>((resolve) => {
      // Keeps the process alive meanwhile: a promise alone does not.
      let watch: Timer | undefined;
      const end = () => {
        watch?.cancel();
        this.#flushes.delete(check);
        resolve();
      };
      const check = () => {
        if (this.#isThrough(last)) end();
      };
      const tick = () => {
        const at = now();
        const patience =
          this.#silenceAt > this.#progressAt ? Math.min(patienceMillis, UNREACHABLE_MILLIS) : patienceMillis;
        if (this.#isThrough(last) || at >= limit || at - this.#progressAt >= patience) end();
        else watch = after(Math.min(100, patienceMillis), tick, { keepAlive: true });
      };
      this.#flushes.add(check);
      this.#turn();
      tick();
    });
  }

  /** Whether all chunks up to this one are done with. */
  #isThrough(sequence: number): boolean {
    const [oldest] = this.#unfinished;
    return this.#broken || oldest === undefined || oldest > sequence;
  }

  #fits(): boolean {
    const { maxQueueBytes, maxQueueSpans } = this.#parts.settings;
    if (this.#queuedBytes + this.#chunk.bytes >= maxQueueBytes) return false;
    if (maxQueueSpans === Number.POSITIVE_INFINITY) return true;
    const held = this.#chunk.spans + this.#queuedSpans;
    return held < maxQueueSpans && held + (this.#coreStats()?.openSpans ?? 0) < maxQueueSpans;
  }

  #drop(spans: number, reason: string): void {
    if (spans === 0) return;
    this.#dropped += spans;
    this.#parts.report.warn("dropped", `spans are dropped: ${reason}`);
  }

  /** Without batching a span goes on at the end of the current turn, with batching a moment later. */
  #linger(): void {
    if (!this.#parts.settings.batch) {
      soon(() => this.#seal());
      return;
    }
    this.#lingering ??= after(LINGER_MILLIS, () => {
      this.#lingering = undefined;
      this.#seal();
    });
  }

  #seal(): void {
    this.#lingering?.cancel();
    this.#lingering = undefined;
    const target = this.#target;
    if (this.#chunk.spans === 0 || !target) return;
    const chunk = this.#chunk;
    const sequence = ++this.#sequence;
    this.#unfinished.add(sequence);
    const pending = chunk.pendingResources();
    if (pending.length === 0) {
      this.#enqueue({ ...chunk.seal(), sequence, target });
      return;
    }
    // A resource is written when its chunk is sealed: wait for its detectors, within reason.
    this.#chunk = new Chunk(this.#parts.lineage, this.#parts.mask);
    this.#sealing++;
    const patience = new Promise<void>((resolve) => after(RESOURCE_MILLIS, resolve));
    void Promise.race([Promise.allSettled(pending), patience]).then(() => {
      this.#sealing--;
      this.#enqueue({ ...chunk.seal(), sequence, target });
    });
  }

  #enqueue(chunk: QueuedChunk): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.bytes.length;
    this.#queuedSpans += chunk.spans;
    this.#nextTurn();
  }

  #nextTurn(): void {
    if (this.#turnIsComing) return;
    this.#turnIsComing = true;
    soon(() => {
      this.#turnIsComing = false;
      this.#turn();
    });
  }

  /** One chunk in, requests out. */
  #turn(): void {
    if (this.#broken) return;
    try {
      const bridge = this.#open();
      const at = now();
      const chunk = at >= this.#fullUntil ? this.#queue.shift() : undefined;
      if (chunk) this.#ingest(bridge, chunk, at);
      if (this.#flushIsNews && this.#queue.length === 0 && this.#sealing === 0) {
        this.#flushIsNews = false;
        bridge.flush(at);
      }
      this.#drive(bridge);
      if (this.#queue.length > 0 && at >= this.#fullUntil) this.#nextTurn();
    } catch (error) {
      this.#break(error);
    }
  }

  #ingest(bridge: TranslatorBridge, chunk: QueuedChunk, at: number): void {
    const { experimentId, experimentName, runId, workspace } = chunk.target;
    const ingested = bridge.ingestChunk(chunk.bytes, experimentId, experimentName, runId, workspace, at);
    if (ingested.outcome === "full") {
      this.#queue.unshift(chunk);
      this.#fullUntil = at + ingested.retryAfter;
      return;
    }
    this.#queuedBytes -= chunk.bytes.length;
    this.#queuedSpans -= chunk.spans;
    if (ingested.outcome === "accepted") {
      this.#receipts.set(ingested.receipt, chunk.sequence);
    } else {
      this.#unfinished.delete(chunk.sequence);
      this.#drop(chunk.spans, ingested.message);
    }
  }

  #drive(bridge: TranslatorBridge): void {
    const at = now();
    const mayPoll = at >= this.#pollAt || this.#flushes.size > 0 || !this.#parts.settings.batch;
    if (mayPoll) this.#pollAt = at + POLL_MILLIS;
    for (const request of mayPoll ? bridge.poll(at) : []) {
      const { settings, quietly } = this.#parts;
      void perform(request, settings.trackingUri, settings.headers, quietly).then((answer) => {
        if (this.#broken) return;
        try {
          if ("response" in answer) {
            const { status, headers, body } = answer.response;
            bridge.complete(request.id, status, headers, body, now());
            if (status < 300) this.#progressAt = now();
          } else {
            this.#silenceAt = now();
            bridge.completeWithoutAnswer(request.id, answer.failure, now());
          }
          this.#turn();
        } catch (error) {
          this.#break(error);
        }
      });
    }
    for (const event of bridge.events()) this.#tell(event);
    this.#sleep(bridge, mayPoll);
    for (const check of [...this.#flushes]) check();
  }

  #sleep(bridge: TranslatorBridge, polled: boolean): void {
    this.#wakeup?.cancel();
    this.#wakeup = undefined;
    let wakeup = polled ? bridge.nextWakeup() : this.#pollAt;
    if (this.#queue.length > 0 && this.#fullUntil > now())
      wakeup = Math.min(wakeup ?? this.#fullUntil, this.#fullUntil);
    if (wakeup === undefined) return;
    this.#wakeup = after(Math.max(0, wakeup - now()), () => this.#turn());
  }

  #tell(event: BridgeEvent): void {
    const { report } = this.#parts;
    if (event.type === "done") {
      const sequence = this.#receipts.get(event.receipt);
      this.#receipts.delete(event.receipt);
      if (sequence !== undefined) this.#unfinished.delete(sequence);
    } else if (event.type === "set-aside") {
      report.warn(
        `set-aside ${event.reason}`,
        `MLflow does not take a span of trace ${event.traceId}: ${event.reason}`,
      );
    } else if (event.type === "repaired") {
      report.detail(`${event.rule} in ${event.place} of span ${event.spanId}`);
    } else if (event.type === "notice" && (event.level === "warn" || event.level === "error")) {
      report.warn(`${event.topic} ${event.message}`, event.message);
    } else if (event.type === "notice") {
      report.detail(event.message);
    }
  }

  #open(): TranslatorBridge {
    if (this.#bridge) return this.#bridge;
    const { settings, report } = this.#parts;
    if (settings.trackingUriIsDefault) {
      report.warn("default", `MLFLOW_TRACKING_URI is not set: traces go to ${settings.trackingUri}`);
    }
    this.#bridge = openBridge({
      max_bytes: settings.maxQueueBytes,
      openinference_only: settings.openInferenceOnly,
      seed: Math.floor(Math.random() * 2 ** 32),
      settle_ms: settings.batch ? settings.settleMillis : 0,
      batch_spans: settings.batchSpans,
      timeout_ms: settings.timeoutMillis,
    });
    return this.#bridge;
  }

  #coreStats(): Stats | undefined {
    return this.#broken ? undefined : this.#bridge?.stats();
  }

  /** A defect of ours: nothing more is sent to this server, and the application goes on. */
  #break(error: unknown): void {
    const held = this.#queuedSpans + (this.#coreStats()?.openSpans ?? 0);
    this.#broken = true;
    this.#unfinished.clear();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#queuedSpans = 0;
    this.#drop(held, `the translator failed (${error instanceof Error ? error.message : String(error)})`);
    for (const check of [...this.#flushes]) check();
  }
}
