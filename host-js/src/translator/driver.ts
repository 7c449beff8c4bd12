/**
 * Drives the core: chunks in, the core's requests performed, answers in. It knows no spans and nothing of the application,
 * so that it runs on the main thread as well as in a worker thread.
 *
 * It takes one chunk a turn of the event loop. When the core fails, the driver calls `failed` once and stops.
 */

import type { HttpResponse } from "../delivery/http.js";
import { after, now, soon, type Timer } from "../delivery/time.js";
import type { BridgeEvent, Request } from "../generated/translator.js";
import type { BridgeSettings, TranslatorBridge } from "./load.js";

/**
 * How often the driver asks the core for requests. A request costs the server the same whatever it holds, and the core
 * sends what has settled by then, so asking more often would send many small requests.
 */
const POLL_MILLIS = 50;

/** Spans in the form in which they cross into WebAssembly, and their place in MLflow. */
export interface TargetedChunk {
  /** Counts chunks from 1. */
  sequence: number;
  bytes: Uint8Array;
  spans: number;
  experimentId: string;
  experimentName: string;
  runId: string;
  workspace: string;
}

/** The outcome of a request: a response, or the reason why there is none. */
export type Answer = HttpResponse | { failure: string };

/** Performs a request. Never rejects. */
export type Perform = (request: Request) => Promise<Answer>;

/** What the core reports about spans, values and the server. */
export type Notice = Exclude<BridgeEvent, { type: "done" }>;

/** What happened since the last update. */
export interface Update {
  /** The server accepted something. */
  progress: boolean;
  /** The reason for which the server did not answer. */
  silence: string | undefined;
  /** The status (401 or 403) with which the server denied access. Trying again does not help. */
  denied: number | undefined;
  /** The id of the experiment to which spans were delivered last. */
  exportedTo: string | undefined;
  /** Ids of experiments that the core looked up or created, by name. */
  experiments: [name: string, id: string][];
  /** Chunks that the core holds now. */
  taken: number[];
  /** Chunks that the core cannot read. */
  refused: { sequence: number; reason: string }[];
  /** Chunks that are in MLflow, apart from quarantined spans. */
  done: number[];
  notices: Notice[];
  stats: CoreStats;
}

/** Spans, by their state in the core. */
export interface CoreStats {
  delivered: number;
  filtered: number;
  quarantined: number;
  held: number;
}

/** How an attempt to send everything at once ended. */
export interface DrainOutcome {
  /** How many spans are not in MLflow. */
  left: number;
  /** The server did not answer, or denied access. */
  failure: "silence" | "denied" | undefined;
}

/** An outcome's failure crosses between threads as its place in this list. */
export const DRAIN_FAILURES: readonly DrainOutcome["failure"][] = [undefined, "silence", "denied"];

/** Settings of one driver. */
export interface DriverSettings {
  bridge: BridgeSettings;
  batch: boolean;
  /** The core leaves out spans: those that are not OpenInference's, or those that the filter omits. */
  filters: boolean;
}

/** A driver and the core's bridge that it drives. */
export class Driver {
  readonly #bridge: TranslatorBridge;
  #queue: TargetedChunk[] = [];
  #receipts = new Map<number, number>();
  /** The core was full. It takes nothing before this instant. */
  #fullUntil = 0;
  /** The core is not polled before this instant, except in a flush. */
  #pollAt = 0;
  /** A flush is in progress. */
  #isFlushing = false;
  /** A flush that the core does not know about yet. */
  #flushIsDue = false;
  #update: Update = emptyUpdate();
  #wakeup: Timer | undefined;
  #pollIsDue = false;
  #stopped = false;
  #drained: ((outcome: DrainOutcome) => void) | undefined;

  constructor(
    private readonly settings: DriverSettings,
    open: (settings: BridgeSettings) => TranslatorBridge,
    private readonly perform: Perform,
    private readonly report: (update: Update) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#bridge = open(settings.bridge);
  }

  /** Takes a chunk. */
  ingest(chunk: TargetedChunk): void {
    this.#queue.push(chunk);
    this.#schedulePoll();
  }

  /** Sends everything taken so far, finished traces or not, without pauses until `relax`. */
  flush(): void {
    this.#isFlushing = true;
    this.#flushIsDue = true;
    this.#pollOnce();
  }

  /** Pauses between requests again, after a flush. */
  relax(): void {
    this.#isFlushing = false;
  }

  /** Flushes, and calls `done` when everything is sent or the server fails. */
  drain(done: (outcome: DrainOutcome) => void): void {
    this.#drained = done;
    this.flush();
  }

  /** Stops for good and frees the core's memory. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wakeup?.cancel();
    this.#bridge.free();
  }

  #schedulePoll(): void {
    if (this.#pollIsDue) return;
    this.#pollIsDue = true;
    soon(() => {
      this.#pollIsDue = false;
      this.#pollOnce();
    });
  }

  #pollOnce(): void {
    if (this.#stopped) return;
    try {
      this.#step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    this.#wakeup?.cancel();
    this.failed(error);
  }

  /** One chunk in, requests out. */
  #step(): void {
    const at = now();
    const chunk = at >= this.#fullUntil ? this.#queue.shift() : undefined;
    if (chunk) this.#ingest(chunk, at);
    if (this.#flushIsDue && this.#queue.length === 0) {
      this.#flushIsDue = false;
      this.#bridge.flush(at);
    }
    const mayPoll = at >= this.#pollAt || this.#isFlushing || !this.settings.batch;
    if (mayPoll) {
      this.#pollAt = at + POLL_MILLIS;
      for (const request of this.#bridge.poll(at)) void this.#answer(request);
    }
    this.#collect();
    this.#sleep(mayPoll);
    if (this.#queue.length > 0 && at >= this.#fullUntil) this.#schedulePoll();
    const update = this.#update;
    this.#update = emptyUpdate();
    this.#checkDrained(update);
    this.report(update);
  }

  async #answer(request: Request): Promise<void> {
    const answer = await this.perform(request);
    if (this.#stopped) return;
    try {
      if ("failure" in answer) {
        this.#update.silence = answer.failure;
        this.#bridge.completeWithoutAnswer(request.id, answer.failure, now());
      } else {
        if (answer.status < 300) this.#learn(request, answer.body);
        else if (answer.status === 401 || answer.status === 403) this.#update.denied = answer.status;
        this.#bridge.complete(request.id, answer.status, answer.headers, answer.body, now());
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#pollOnce();
  }

  /** Remembers where spans went, for the URLs that people see. */
  #learn(request: Request, body: Uint8Array): void {
    this.#update.progress = true;
    const { path } = request;
    if (path === "v1/traces") {
      this.#update.exportedTo = request.headers.find(([name]) => name.toLowerCase() === "x-mlflow-experiment-id")?.[1];
      return;
    }
    const experiment = experimentOf(path, request.body, body);
    if (experiment) this.#update.experiments.push(experiment);
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
    const { spansReceived, spansDelivered, spansQuarantined: quarantined, openSpans: held } = this.#bridge.stats();
    // The core counts repeated spans apart, and quarantined feedback of a delivered span twice. Here each span that came
    // in counts once.
    const rest = spansReceived - spansDelivered - quarantined - held;
    const filtered = this.settings.filters ? Math.max(0, rest) : 0;
    this.#update.stats = { delivered: spansDelivered + rest - filtered, filtered, quarantined, held };
  }

  #checkDrained({ silence, denied, stats }: Update): void {
    const isDone = this.#queue.length === 0 && this.#receipts.size === 0;
    if (!this.#drained || (!isDone && silence === undefined && denied === undefined)) return;
    const left = this.#queue.reduce((sum, chunk) => sum + chunk.spans, stats.held);
    this.#drained({ left, failure: silence !== undefined ? "silence" : denied !== undefined ? "denied" : undefined });
    this.#drained = undefined;
  }

  #sleep(polled: boolean): void {
    this.#wakeup?.cancel();
    this.#wakeup = undefined;
    let wakeup = polled ? this.#bridge.nextWakeup() : this.#pollAt;
    if (this.#queue.length > 0 && this.#fullUntil > now())
      wakeup = Math.min(wakeup ?? this.#fullUntil, this.#fullUntil);
    if (wakeup === undefined) return;
    this.#wakeup = after(Math.max(0, wakeup - now()), () => this.#pollOnce());
  }
}

function emptyUpdate(): Update {
  return {
    ...{ progress: false, silence: undefined, denied: undefined, exportedTo: undefined, experiments: [] },
    ...{ taken: [], refused: [], done: [], notices: [] },
    stats: { delivered: 0, filtered: 0, quarantined: 0, held: 0 },
  };
}

/** Name and id of the experiment that a request looked up or created. */
function experimentOf(path: string, asked: Uint8Array, answered: Uint8Array): [string, string] | undefined {
  const [endpoint = "", query] = path.split("?");
  const isLookup = endpoint.endsWith("/experiments/get-by-name");
  if (!isLookup && !endpoint.endsWith("/experiments/create")) return undefined;
  try {
    const answer = parse(answered) as { experiment_id?: string; experiment?: { experiment_id?: string } };
    const name = isLookup ? new URLSearchParams(query).get("experiment_name") : (parse(asked) as { name: string }).name;
    const id = answer.experiment_id ?? answer.experiment?.experiment_id;
    return name && id ? [name, String(id)] : undefined;
  } catch {
    // The core reports answers that are not MLflow's.
    return undefined;
  }
}

function parse(json: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(json));
}
