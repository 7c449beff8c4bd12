/**
 * Delivers spans to one MLflow server: writes them into chunks, which a translator turns into requests and sends.
 *
 * Memory is bounded: spans beyond the limits of the settings are dropped, counted and reported. A chunk is kept until
 * MLflow has its spans, so that the main thread can take over when the worker thread ends. Nothing here throws into the
 * caller.
 */

import type { DeliverySettings, Target } from "../settings/resolve.js";
import { Chunk, type Lineage, type Mask } from "../span/chunk.js";
import type { ReadableSpan } from "../span/readable.js";
import type { CoreStats, Notice, TargetedChunk, Update } from "../translator/driver.js";
import { openTranslator, type Translator } from "../translator/translator.js";
import type { Report } from "./report.js";
import type { DeliveryStats } from "./stats.js";
import { isJest } from "./test-runners.js";
import { after, now, soon, type Timer } from "./time.js";
import type { SuppressTracing } from "./transport.js";

/** A chunk is full at either. On the main thread they bound the time that one turn of the event loop takes. */
const CHUNK_SPANS = 32;
const CHUNK_BYTES = 256 * 1024;

/** How long a chunk that is not full waits for more spans. */
const LINGER_MILLIS = 25;

/** A flush waits no longer for an unreachable server, because the application may be waiting to shut down. */
const UNREACHABLE_MILLIS = 2_000;

/** How long resource detectors may take. */
const RESOURCE_MILLIS = 5_000;

/** A chunk that is not in MLflow yet. */
interface HeldChunk extends TargetedChunk {
  /** The core has it and counts its spans. */
  taken: boolean;
}

/** What a delivery needs. */
export interface DeliveryParts {
  settings: DeliverySettings;
  lineage: Lineage;
  /** The current mask. */
  mask: () => Mask | undefined;
  report: Report;
  suppressTracing: SuppressTracing;
}

/** The delivery for one set of settings. */
export class Delivery {
  readonly #parts: DeliveryParts;
  #chunk: Chunk;
  #target: Target | undefined;
  #translator: Translator | undefined;
  #inWorker: boolean;
  #broken = false;
  #sequence = 0;
  /** Chunks that wait for their resource, with their spans. */
  #sealing = new Map<number, number>();
  #held = new Map<number, HeldChunk>();
  #heldBytes = 0;
  /** Spans of chunks that the core does not have yet. */
  #waitingSpans = 0;
  #received = 0;
  #dropped = 0;
  /** Counted by a core that was replaced. */
  #earlier: CoreStats = NOTHING;
  #core: CoreStats = NOTHING;
  #lingering: Timer | undefined;
  #flushes = new Set<() => void>();
  /** A flush that began while chunks waited for their resource. */
  #flushIsDue = false;
  /** When the server last took something, or a flush began. */
  #progressAt = 0;
  /** When the server last did not answer. */
  #silenceAt = 0;
  /** When the server last denied access. */
  #deniedAt = 0;
  /** Why spans wait, if a request has failed since the last success. */
  #trouble: string | undefined;
  /** The last flush ended before everything was sent. */
  #gaveUp = false;
  #exportedTo: string | undefined;
  readonly #experimentIds = new Map<string, string>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#inWorker = parts.settings.worker;
    this.#chunk = new Chunk(parts.lineage, parts.mask);
  }

  /** Takes a finished span for its experiment. Of a span that the filter omits, the core only learns the parent. */
  add(span: ReadableSpan, target: Target, omitted = false): void {
    if (this.#received++ === 0) this.#greet();
    if (this.#broken) {
      this.#dropped++;
      return;
    }
    if (!this.#fits()) {
      this.#drop(1, "the queue is full: MLflow takes spans more slowly than the application makes them");
      return;
    }
    if (this.#chunk.spans > 0 && target !== this.#target) this.#seal();
    this.#target = target;
    try {
      if (omitted) this.#chunk.addOmitted(span);
      else this.#chunk.add(span);
    } catch (error) {
      this.#drop(1, `a span cannot be read (${error instanceof Error ? error.name : "unknown error"})`);
      return;
    }
    if (this.#chunk.spans >= CHUNK_SPANS || this.#chunk.bytes >= CHUNK_BYTES) this.#seal();
    else if (this.#chunk.spans === 1) this.#linger();
  }

  stats(): DeliveryStats {
    return {
      received: this.#received,
      delivered: this.#earlier.delivered + this.#core.delivered,
      dropped: this.#dropped,
      filtered: this.#earlier.filtered + this.#core.filtered,
      quarantined: this.#earlier.quarantined + this.#core.quarantined,
      pending: this.#unsealed() + this.#waitingSpans + this.#core.held,
    };
  }

  /** Why spans wait, for people. */
  get trouble(): string | undefined {
    if (this.#trouble !== undefined || !this.#gaveUp) return this.#trouble;
    return this.#describe("needs longer than the last flush waited: raise timeoutMillis or flushTimeoutMillis");
  }

  /** The id of the experiment of spans for this target, once it is known. Unity Catalog has none. */
  experimentId({ experimentId, experimentName }: Target): string | undefined {
    if (this.#parts.settings.traceLocation) return undefined;
    return experimentId || this.#experimentIds.get(experimentName) || this.#exportedTo;
  }

  /** Every span is in MLflow, or was dropped and counted. */
  get idle(): boolean {
    return this.#broken || (this.#unsealed() === 0 && this.#held.size === 0);
  }

  /**
   * Sends everything taken so far, finished traces or not. Never rejects. Gives up after `patienceMillis` without
   * progress, and at once when the server denies access.
   */
  async flush(patienceMillis: number, limitMillis = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#chunk.spans > 0) this.#seal();
    const last = this.#sequence;
    if (this.#isThrough(last)) return;
    const began = now();
    this.#progressAt = began;
    const limit = began + limitMillis;
    await new Promise<void>((resolve) => {
      // Keeps the process alive meanwhile: a promise alone does not.
      let watch: Timer | undefined;
      const end = () => {
        watch?.cancel();
        this.#flushes.delete(check);
        this.#gaveUp = !this.#isThrough(last);
        if (this.#flushes.size === 0) this.#translator?.relax();
        resolve();
      };
      const check = () => {
        if (this.#isThrough(last) || this.#deniedAt > began) end();
      };
      const tick = () => {
        const at = now();
        const patience =
          this.#silenceAt > this.#progressAt ? Math.min(patienceMillis, UNREACHABLE_MILLIS) : patienceMillis;
        const isDenied = this.#deniedAt > began;
        if (this.#isThrough(last) || isDenied || at >= limit || at - this.#progressAt >= patience) end();
        else watch = after(Math.min(100, patienceMillis), tick, { keepAlive: true });
      };
      this.#flushes.add(check);
      this.#flushIsDue = true;
      this.#flushIfDue();
      tick();
    });
  }

  /**
   * Blocks this thread until everything is sent, for a process that is about to end.
   *
   * @returns how many spans are left
   */
  drainNow(limitMillis: number): number {
    if (this.#chunk.spans > 0) this.#seal();
    const { pending } = this.stats();
    if (pending === 0 || this.#trouble !== undefined || this.#sealing.size > 0) return pending;
    try {
      const outcome = this.#open()?.drainNow?.(limitMillis);
      if (outcome?.failure === "silence") this.#trouble = this.#describe("does not answer");
      if (outcome?.failure === "denied") this.#trouble = this.#describe("denies access");
      return outcome?.left ?? pending;
    } catch {
      return pending;
    }
  }

  /** Frees everything. Call it when nothing is pending. */
  close(): void {
    this.#translator?.stop();
    this.#translator = undefined;
  }

  /** Whether MLflow has all chunks up to this one. */
  #isThrough(sequence: number): boolean {
    if (this.#broken) return true;
    const [oldest = Number.POSITIVE_INFINITY] = this.#held.keys();
    const [sealing = Number.POSITIVE_INFINITY] = this.#sealing.keys();
    return Math.min(oldest, sealing) > sequence;
  }

  /** Spans that no sealed chunk has yet. */
  #unsealed(): number {
    let spans = this.#chunk.spans;
    for (const sealing of this.#sealing.values()) spans += sealing;
    return spans;
  }

  #fits(): boolean {
    const { maxQueueBytes, maxQueueSpans } = this.#parts.settings;
    if (this.#heldBytes + this.#chunk.bytes >= maxQueueBytes) return false;
    return this.#unsealed() + this.#waitingSpans + this.#core.held < maxQueueSpans;
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
    const enqueue = () => this.#hold({ ...chunk.seal(), ...target, sequence, taken: false });
    const pending = chunk.pendingResources();
    if (pending.length === 0) {
      enqueue();
      return;
    }
    // A resource is written when its chunk is sealed: wait for its detectors, within reason.
    this.#chunk = new Chunk(this.#parts.lineage, this.#parts.mask);
    this.#sealing.set(sequence, chunk.spans);
    const patience = new Promise<void>((resolve) => after(RESOURCE_MILLIS, resolve));
    void Promise.race([Promise.allSettled(pending), patience]).then(() => {
      this.#sealing.delete(sequence);
      enqueue();
      this.#flushIfDue();
    });
  }

  #hold(chunk: HeldChunk): void {
    if (this.#broken) {
      this.#dropped += chunk.spans;
      return;
    }
    this.#held.set(chunk.sequence, chunk);
    this.#heldBytes += chunk.bytes.length;
    this.#waitingSpans += chunk.spans;
    this.#open()?.ingest(chunk);
  }

  #release(sequence: number): HeldChunk | undefined {
    const chunk = this.#held.get(sequence);
    if (!chunk) return undefined;
    this.#held.delete(sequence);
    this.#heldBytes -= chunk.bytes.length;
    if (!chunk.taken) this.#waitingSpans -= chunk.spans;
    return chunk;
  }

  #flushIfDue(): void {
    if (!this.#flushIsDue || this.#sealing.size > 0) return;
    this.#flushIsDue = false;
    this.#open()?.flush();
  }

  #take(update: Update): void {
    this.#core = update.stats;
    if (update.progress) {
      this.#progressAt = now();
      this.#trouble = undefined;
      const { report, settings } = this.#parts;
      const place = settings.traceLocation;
      if (place)
        report.info(`success ${place}`, `traces are in MLflow: ${settings.trackingUri}, Unity Catalog ${place}`);
    }
    if (update.silence !== undefined) {
      this.#silenceAt = now();
      this.#trouble = this.#describe(`does not answer (${update.silence})`);
    }
    if (update.denied !== undefined) {
      this.#deniedAt = now();
      this.#trouble = this.#describe(`denies access (${update.denied})`);
    }
    for (const [name, id] of update.experiments) this.#experimentIds.set(name, id);
    if (update.exportedTo !== undefined) this.#announce(update.exportedTo);
    for (const sequence of update.taken) {
      const chunk = this.#held.get(sequence);
      if (!chunk || chunk.taken) continue;
      chunk.taken = true;
      this.#waitingSpans -= chunk.spans;
    }
    for (const { sequence, reason } of update.refused) this.#drop(this.#release(sequence)?.spans ?? 0, reason);
    for (const sequence of update.done) this.#release(sequence);
    for (const notice of update.notices) this.#say(notice);
    for (const check of [...this.#flushes]) check();
  }

  #describe(what: string): string {
    return `the MLflow server at ${this.#parts.settings.trackingUri} ${what}`;
  }

  /** Says once where the traces are. */
  #announce(experimentId: string): void {
    this.#exportedTo = experimentId;
    const { report, settings } = this.#parts;
    report.info(
      `success ${experimentId}`,
      `traces are in MLflow: ${experimentUrl(settings.trackingUri, experimentId)}`,
    );
  }

  #say(notice: Notice): void {
    const { report, settings } = this.#parts;
    if (notice.type === "quarantined") {
      report.warn(
        `quarantined ${notice.reason}`,
        `MLflow at ${settings.trackingUri} rejects a span of trace ${notice.traceId}, which is lost: ${notice.reason}`,
      );
    } else if (notice.type === "repaired") {
      report.detail(`${notice.rule} in ${notice.place} of span ${notice.spanId}`);
    } else if (notice.level === "warn" || notice.level === "error") {
      report.warn(`${notice.topic} ${notice.message}`, `${notice.message} (MLflow: ${settings.trackingUri})`);
    } else {
      report.detail(notice.message);
    }
  }

  /** What a user should know before anything is sent: at the first span, since Jest may end this code right after it. */
  #greet(): void {
    const { settings, report } = this.#parts;
    if (settings.trackingUriIsDefault) {
      report.warn("default", `MLFLOW_TRACKING_URI is not set: traces go to ${settings.trackingUri}`);
    }
    if (isJest()) {
      report.warn(
        "jest",
        "Jest ends its workers without waiting for spans: to get the traces of tests call `await flush()` in afterAll, to turn " +
          "tracing off in tests set OTEL_SDK_DISABLED=true",
      );
    }
  }

  #open(): Translator | undefined {
    if (this.#translator || this.#broken) return this.#translator;
    const { settings, suppressTracing } = this.#parts;
    const bridge = {
      max_bytes: settings.maxQueueBytes,
      openinference_only: settings.openInferenceOnly,
      omit_marked_spans: settings.omitsSpans,
      attachments: settings.attachments,
      attachment_max_bytes: settings.attachmentMaxBytes,
      seed: Math.floor(Math.random() * 2 ** 32),
      settle_ms: settings.batch ? settings.settleMillis : 0,
      batch_spans: settings.batchSpans,
      timeout_ms: settings.timeoutMillis,
      ...(settings.traceLocation && { destination: "unity_catalog", trace_location: settings.traceLocation }),
    };
    const parts = {
      settings: { bridge, batch: settings.batch, filters: settings.openInferenceOnly || settings.omitsSpans },
      server: { trackingUri: settings.trackingUri, headers: settings.headers, tls: settings.tls },
      update: (update: Update) => this.#take(update),
      failed: (error: unknown) => this.#recover(error),
    };
    try {
      this.#translator = openTranslator(parts, { worker: this.#inWorker, suppressTracing });
    } catch (error) {
      this.#break(error);
    }
    return this.#translator;
  }

  /** The main thread takes over from the worker thread, and hands over again all chunks that may not be in MLflow. */
  #recover(error: unknown): void {
    this.#translator = undefined;
    if (!this.#inWorker) {
      this.#break(error);
      return;
    }
    this.#inWorker = false;
    this.#parts.report.detail(`translating on the main thread from now on: ${messageOf(error)}`);
    const heldSpans = [...this.#held.values()].reduce((sum, chunk) => sum + chunk.spans, 0);
    const quarantined = this.#earlier.quarantined + this.#core.quarantined;
    const filtered = this.#earlier.filtered + this.#core.filtered;
    // Spans of chunks that are handed over again count as pending, whatever the worker did with them.
    const delivered = this.#received - this.#dropped - this.#unsealed() - heldSpans - quarantined - filtered;
    this.#earlier = { delivered, filtered, quarantined, held: 0 };
    this.#core = NOTHING;
    this.#waitingSpans = heldSpans;
    for (const chunk of this.#held.values()) {
      chunk.taken = false;
      this.#open()?.ingest(chunk);
    }
    if (this.#flushes.size > 0) this.#flushIsDue = true;
    this.#flushIfDue();
  }

  /** A defect of this package: nothing more is sent to this server, and the application goes on. */
  #break(error: unknown): void {
    const held = this.#waitingSpans + this.#core.held;
    this.#broken = true;
    this.#translator = undefined;
    this.#held.clear();
    this.#heldBytes = 0;
    this.#waitingSpans = 0;
    this.#core = { ...this.#core, held: 0 };
    this.#drop(held, `the translator failed (${messageOf(error)})`);
    for (const check of [...this.#flushes]) check();
  }
}

const NOTHING: CoreStats = { delivered: 0, filtered: 0, quarantined: 0, held: 0 };

/** Where MLflow's UI shows the traces of an experiment. */
export function experimentUrl(trackingUri: string, experimentId: string): string {
  return `${trackingUri}/#/experiments/${experimentId}/traces`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
