/**
 * The worker thread of the process: it runs the drivers of all deliveries, so that the main thread only writes chunks.
 *
 * The worker's source is a text in this package, because bundlers move files. The thread keeps no process alive, and gets
 * nothing of the application's except the variables that connections depend on: no other environment, no `--import`.
 */

import "../generated/worker-source.cjs";
import { Worker } from "node:worker_threads";
import { after, type Timer } from "../delivery/time.js";
import type { Server } from "../delivery/transport.js";
import { DRAIN_FAILURES, type DriverSettings, type TargetedChunk, type Update } from "./driver.js";
import type { Translator, TranslatorParts } from "./translator.js";

/** What the worker starts with. */
export interface WorkerData {
  wasm: Uint8Array;
}

/** A command to the driver of this id. */
export type WorkerCommand = { id: number } & (
  | { type: "open"; settings: DriverSettings; server: Server }
  | { type: "ingest"; chunk: TargetedChunk }
  | { type: "flush" | "relax" | "stop" }
  /** The worker writes the outcome (its place in `DRAIN_FAILURES`, plus 1) and the number of spans that are left, and wakes this thread. */
  | { type: "drain"; signal: Int32Array }
);

/** The variables that Node reads while it runs. */
const CONNECTION = /^(NODE_USE_ENV_PROXY|NODE_TLS_REJECT_UNAUTHORIZED|HTTPS?_PROXY|NO_PROXY)$/i;

/** The thread ends so many milliseconds after its last driver. */
const LINGER_MILLIS = 1_000;

/** The young generation is small: the worker makes many short-lived objects, and V8 would let them pile up. */
const YOUNG_GENERATION_MB = 4;

let running: WorkerThread | undefined;

/** Opens a driver in the worker thread, and the thread if it is not running. `undefined` where there are no threads. */
export function workerTranslator(parts: TranslatorParts, wasm: () => Uint8Array<ArrayBuffer>): Translator | undefined {
  try {
    running ??= new WorkerThread(wasm(), (ended) => {
      if (running === ended) running = undefined;
    });
  } catch {
    // Node's permission model, or a runtime that has the module but no threads.
    return undefined;
  }
  return running.open(parts);
}

class WorkerThread {
  readonly #worker: Worker;
  readonly #drivers = new Map<number, TranslatorParts>();
  #lastId = 0;
  #lingering: Timer | undefined;

  constructor(
    wasm: Uint8Array<ArrayBuffer>,
    private readonly ended: (thread: WorkerThread) => void,
  ) {
    const workerData: WorkerData = { wasm };
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => CONNECTION.test(key)));
    const source = (globalThis as Record<symbol, unknown>)[Symbol.for("openinference-mlflow.worker")] as string;
    this.#worker = new Worker(source, {
      ...{ name: "openinference-mlflow", eval: true, workerData, transferList: [wasm.buffer] },
      ...{ env, execArgv: [], argv: [], stdin: false },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.#worker.on("message", ({ id, update }: { id: number; update: Update }) =>
      this.#drivers.get(id)?.update(update),
    );
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("messageerror", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("the worker thread has ended")));
    this.#worker.unref();
  }

  open(parts: TranslatorParts): Translator {
    this.#lingering?.cancel();
    const id = ++this.#lastId;
    this.#drivers.set(id, parts);
    const send = (command: WorkerCommand) => this.#worker.postMessage(command);
    send({ id, type: "open", settings: parts.settings, server: parts.server });
    return {
      ingest: (chunk) => send({ id, type: "ingest", chunk }),
      flush: () => send({ id, type: "flush" }),
      relax: () => send({ id, type: "relax" }),
      stop: () => {
        if (!this.#drivers.delete(id)) return;
        send({ id, type: "stop" });
        if (this.#drivers.size === 0) this.#lingering = after(LINGER_MILLIS, () => this.#close());
      },
      drainNow(limitMillis) {
        const signal = new Int32Array(new SharedArrayBuffer(8));
        send({ id, type: "drain", signal });
        if (Atomics.wait(signal, 0, 0, limitMillis) === "timed-out") return undefined;
        const failure = DRAIN_FAILURES[Atomics.load(signal, 0) - 1];
        return { left: Atomics.load(signal, 1), failure };
      },
    };
  }

  #close(): void {
    if (this.#drivers.size > 0) return;
    this.ended(this);
    void this.#worker.terminate();
  }

  /** The thread is gone: every driver in it has failed. */
  #end(error: unknown): void {
    this.ended(this);
    const drivers = [...this.#drivers.values()];
    this.#drivers.clear();
    for (const { failed } of drivers) failed(error);
  }
}
