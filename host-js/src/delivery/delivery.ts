/**
 * Spans to one MLflow server: written into chunks, which a translator turns into requests and sends.
 *
 * Bounded: what is held stays below the settings' limits, and what does not fit is dropped, counted and reported. A chunk
 * is kept until MLflow has its spans, so that they can be handed over again when a worker thread ends. Nothing here
 * throws into the caller.
 */

import type { DeliverySettings, Target } from "../settings/resolve.js";
import { Chunk, type Lineage, type Mask } from "../span/chunk.js";
import type { ReadableSpan } from "../span/readable.js";
import type { CoreStats, Notice, TargetedChunk, Update } from "../translator/driver.js";
import { openTranslator, type Translator } from "../translator/translator.js";
import { now } from "./clock.js";
import type { Report } from "./report.js";
import type { DeliveryStats } from "./stats.js";
import { after, soon, type Timer } from "./timers.js";
import type { Quietly } from "./transport.js";

/** A chunk is full at either. Beside the application, what one turn of the event loop costs follows from them. */
const CHUNK_SPANS = 32;
const CHUNK_BYTES = 256 * 1024;

/** How long a chunk that is not full waits for more spans. */
const LINGER_MILLIS = 25;

/** A flush waits no longer for a server that cannot be reached: the application may be waiting for its own shutdown. */
const UNREACHABLE_MILLIS = 2_000;

/** How long resource detectors may take. */
const RESOURCE_MILLIS = 5_000;

/** A chunk that is not in MLflow yet. */
interface HeldChunk extends TargetedChunk {
  spans: number;
  /** The core has it: its spans are among those that the core counts. */
  taken: boolean;
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
  /** Counted by a core that is no more. */
  #earlier = { delivered: 0, setAside: 0 };
  #core: CoreStats = { delivered: 0, setAside: 0, held: 0 };
  #lingering: Timer | undefined;
  #flushes = new Set<() => void>();
  /** A flush that began while chunks waited for their resource. */
  #flushIsDue = false;
  /** When the server last took something, or a flush began. */
  #progressAt = 0;
  /** When the server last did not answer. */
  #silenceAt = 0;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#inWorker = parts.settings.worker;
    this.#chunk = new Chunk(parts.lineage, parts.mask);
  }

  /** Takes a finished span for its experiment. */
  add(span: ReadableSpan, target: Target): void {
    this.#received++;
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
      this.#chunk.add(span);
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
      setAside: this.#earlier.setAside + this.#core.setAside,
      pending: this.#unsealed() + this.#waitingSpans + this.#core.held,
    };
  }

  /** Everything that came in is in MLflow, or was dropped and counted. */
  get idle(): boolean {
    return this.#broken || (this.#unsealed() === 0 && this.#held.size === 0);
  }

  /** Sends what came in before, finished or not. Never rejects; gives up after `patienceMillis` without progress. */
  async flush(patienceMillis: number, limitMillis = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#chunk.spans > 0) this.#seal();
    const last = this.#sequence;
    if (this.#isThrough(last)) return;
    this.#progressAt = now();
    const limit = this.#progressAt + limitMillis;
    await new Promise<void>((resolve) => {
      // Keeps the process alive meanwhile: a promise alone does not.
      let watch: Timer | undefined;
      const end = () => {
        watch?.cancel();
        this.#flushes.delete(check);
        if (this.#flushes.size === 0) this.#translator?.relax();
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
      this.#flushIsDue = true;
      this.#flushIfDue();
      tick();
    });
  }

  /** Nothing is held any more, or what is held is given up. */
  close(): void {
    this.#translator?.stop();
  }

  /** Whether all chunks up to this one are done with. */
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

  #tell(update: Update): void {
    this.#core = update.stats;
    if (update.silence) this.#silenceAt = now();
    if (update.progress) this.#progressAt = now();
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

  #say(notice: Notice): void {
    const { report } = this.#parts;
    if (notice.type === "quarantined") {
      report.warn(
        `set-aside ${notice.reason}`,
        `MLflow does not take a span of trace ${notice.traceId}: ${notice.reason}`,
      );
    } else if (notice.type === "repaired") {
      report.detail(`${notice.rule} in ${notice.place} of span ${notice.spanId}`);
    } else if (notice.level === "warn" || notice.level === "error") {
      report.warn(`${notice.topic} ${notice.message}`, notice.message);
    } else {
      report.detail(notice.message);
    }
  }

  #open(): Translator | undefined {
    if (this.#translator || this.#broken) return this.#translator;
    const { settings, report, quietly } = this.#parts;
    if (settings.trackingUriIsDefault) {
      report.warn("default", `MLFLOW_TRACKING_URI is not set: traces go to ${settings.trackingUri}`);
    }
    const bridge = {
      max_bytes: settings.maxQueueBytes,
      openinference_only: settings.openInferenceOnly,
      attachments: settings.attachments,
      attachment_max_bytes: settings.attachmentMaxBytes,
      seed: Math.floor(Math.random() * 2 ** 32),
      settle_ms: settings.batch ? settings.settleMillis : 0,
      batch_spans: settings.batchSpans,
      timeout_ms: settings.timeoutMillis,
    };
    const parts = {
      settings: { bridge, batch: settings.batch },
      server: { trackingUri: settings.trackingUri, headers: settings.headers, tls: settings.tls },
      tell: (update: Update) => this.#tell(update),
      failed: (error: unknown) => this.#recover(error),
    };
    try {
      this.#translator = openTranslator(parts, { worker: this.#inWorker, quietly });
    } catch (error) {
      this.#break(error);
    }
    return this.#translator;
  }

  /** A worker thread is replaced by the main thread, and what is not in MLflow for sure is handed over again. */
  #recover(error: unknown): void {
    this.#translator = undefined;
    if (!this.#inWorker) {
      this.#break(error);
      return;
    }
    this.#inWorker = false;
    this.#parts.report.detail(`translating on the main thread from now on: ${messageOf(error)}`);
    const heldSpans = [...this.#held.values()].reduce((sum, chunk) => sum + chunk.spans, 0);
    const setAside = this.#earlier.setAside + this.#core.setAside;
    const delivered = this.#received - this.#dropped - this.#unsealed() - heldSpans - setAside;
    this.#earlier = { delivered, setAside };
    this.#core = { delivered: 0, setAside: 0, held: 0 };
    this.#waitingSpans = heldSpans;
    for (const chunk of this.#held.values()) {
      chunk.taken = false;
      this.#open()?.ingest(chunk);
    }
    if (this.#flushes.size > 0) this.#flushIsDue = true;
    this.#flushIfDue();
  }

  /** A defect of ours: nothing more is sent to this server, and the application goes on. */
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
