/**
 * Drives the core: chunks in, its requests performed, answers in. Knows no spans and nothing of the application, so that it
 * runs beside the application as well as in a worker thread.
 *
 * Unhurried: one chunk a turn of the event loop. When the core fails, `failed` is called once, and nothing is told any
 * more.
 */

import { now } from "../delivery/clock.js";
import { after, soon, type Timer } from "../delivery/timers.js";
import type { BridgeEvent, Request } from "../generated/translator.js";
import type { BridgeSettings, TranslatorBridge } from "./load.js";

/**
 * How often the core is asked for requests. Each costs the server the same whatever it holds, and the core sends what has
 * settled by then: asked more often it would send many small ones.
 */
const POLL_MILLIS = 50;

/** Spans in the form in which they cross, and where they belong. */
export interface TargetedChunk {
  /** Counts chunks from 1. */
  sequence: number;
  bytes: Uint8Array;
  experimentId: string;
  experimentName: string;
  runId: string;
  workspace: string;
}

/** What became of a request: a response, header names and values by turns, or why there is none. */
export type Answer = { status: number; headers: string[]; body: Uint8Array } | { failure: string };

/** Never rejects. */
export type Perform = (request: Request) => Promise<Answer>;

/** What there is to say: `done` has gone before `stats`. */
export type Notice = Exclude<BridgeEvent, { type: "done" }>;

/** What happened since the last update. */
export interface Update {
  /** The server has taken something. */
  progress: boolean;
  /** The server has not answered. */
  silence: boolean;
  /** Chunks that the core holds now. */
  taken: number[];
  /** Chunks that it cannot read. */
  refused: { sequence: number; reason: string }[];
  /** Chunks that are in MLflow, set-aside spans apart. */
  done: number[];
  notices: Notice[];
  stats: CoreStats;
}

/** Spans, by what the core has done with them. */
export interface CoreStats {
  delivered: number;
  setAside: number;
  held: number;
}

export interface DriverSettings {
  bridge: BridgeSettings;
  batch: boolean;
}

export class Driver {
  readonly #bridge: TranslatorBridge;
  #queue: TargetedChunk[] = [];
  #receipts = new Map<number, number>();
  /** The core was full: not before this instant. */
  #fullUntil = 0;
  /** Not before this instant is the core asked again, a flush aside. */
  #pollAt = 0;
  /** Somebody waits. */
  #hurried = false;
  /** A flush that the core has not heard of yet. */
  #flushIsNews = false;
  /** What is to be told next. */
  #update: Update = nothingNew();
  #wakeup: Timer | undefined;
  #turnIsComing = false;
  #stopped = false;

  constructor(
    private readonly settings: DriverSettings,
    open: (settings: BridgeSettings) => TranslatorBridge,
    private readonly perform: Perform,
    private readonly tell: (update: Update) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#bridge = open(settings.bridge);
  }

  ingest(chunk: TargetedChunk): void {
    this.#queue.push(chunk);
    this.#nextTurn();
  }

  /** Sends what came in before, finished or not, and goes on without pauses until `relax`. */
  flush(): void {
    this.#hurried = true;
    this.#flushIsNews = true;
    this.#turn();
  }

  relax(): void {
    this.#hurried = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeup?.cancel();
  }

  #nextTurn(): void {
    if (this.#turnIsComing) return;
    this.#turnIsComing = true;
    soon(() => {
      this.#turnIsComing = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#stopped) return;
    try {
      this.#step();
    } catch (error) {
      this.#stopped = true;
      this.failed(error);
    }
  }

  /** One chunk in, requests out. */
  #step(): void {
    const at = now();
    const chunk = at >= this.#fullUntil ? this.#queue.shift() : undefined;
    if (chunk) this.#ingest(chunk, at);
    if (this.#flushIsNews && this.#queue.length === 0) {
      this.#flushIsNews = false;
      this.#bridge.flush(at);
    }
    const mayPoll = at >= this.#pollAt || this.#hurried || !this.settings.batch;
    if (mayPoll) {
      this.#pollAt = at + POLL_MILLIS;
      for (const request of this.#bridge.poll(at)) void this.#answer(request);
    }
    this.#collect();
    this.#sleep(mayPoll);
    if (this.#queue.length > 0 && at >= this.#fullUntil) this.#nextTurn();
    const update = this.#update;
    this.#update = nothingNew();
    this.tell(update);
  }

  async #answer(request: Request): Promise<void> {
    const answer = await this.perform(request);
    if (this.#stopped) return;
    try {
      if ("failure" in answer) {
        this.#update.silence = true;
        this.#bridge.completeWithoutAnswer(request.id, answer.failure, now());
      } else {
        this.#update.progress ||= answer.status < 300;
        this.#bridge.complete(request.id, answer.status, answer.headers, answer.body, now());
      }
    } catch (error) {
      this.#stopped = true;
      this.failed(error);
    }
    this.#turn();
  }

  #ingest(chunk: TargetedChunk, at: number): void {
    const { bytes, experimentId, experimentName, runId, workspace, sequence } = chunk;
    const ingested = this.#bridge.ingestChunk(bytes, experimentId, experimentName, runId, workspace, at);
    if (ingested.outcome === "full") {
      this.#queue.unshift(chunk);
      this.#fullUntil = at + ingested.retryAfter;
    } else if (ingested.outcome === "accepted") {
      this.#receipts.set(ingested.receipt, sequence);
      this.#update.taken.push(sequence);
    } else {
      this.#update.refused.push({ sequence, reason: ingested.message });
    }
  }

  #collect(): void {
    for (const event of this.#bridge.events()) {
      if (event.type !== "done") {
        this.#update.notices.push(event);
        continue;
      }
      const sequence = this.#receipts.get(event.receipt);
      this.#receipts.delete(event.receipt);
      if (sequence !== undefined) this.#update.done.push(sequence);
    }
    const { spansDelivered, spansQuarantined, openSpans } = this.#bridge.stats();
    this.#update.stats = { delivered: spansDelivered, setAside: spansQuarantined, held: openSpans };
  }

  #sleep(polled: boolean): void {
    this.#wakeup?.cancel();
    this.#wakeup = undefined;
    let wakeup = polled ? this.#bridge.nextWakeup() : this.#pollAt;
    if (this.#queue.length > 0 && this.#fullUntil > now())
      wakeup = Math.min(wakeup ?? this.#fullUntil, this.#fullUntil);
    if (wakeup === undefined) return;
    this.#wakeup = after(Math.max(0, wakeup - now()), () => this.#turn());
  }
}

function nothingNew(): Update {
  const stats = { delivered: 0, setAside: 0, held: 0 };
  return { progress: false, silence: false, taken: [], refused: [], done: [], notices: [], stats };
}
