/**
 * A driver in a worker thread: the main thread only writes chunks.
 *
 * The worker's source is a text in this package, because bundlers move files. It keeps no process alive, and gets nothing of
 * the application's but what connections depend on: no other environment, no `--import`. Builds without Node put `worker-none.ts` in this place.
 */

import { Worker } from "node:worker_threads";
import type { Server } from "../delivery/transport.js";
import { WORKER_SOURCE } from "../generated/worker-source.js";
import type { DriverSettings, TargetedChunk, Update } from "./driver.js";
import { translatorBytes } from "./module.js";
import type { Translator, TranslatorParts } from "./translator.js";

/** What the worker is started with. */
export interface WorkerData {
  wasm: Uint8Array;
  settings: DriverSettings;
  server: Server;
}

/** What the worker is told. */
export type Told = { type: "ingest"; chunk: TargetedChunk } | { type: "flush" } | { type: "relax" };

/** What Node reads while it runs. */
const CONNECTION = /^(NODE_USE_ENV_PROXY|NODE_TLS_REJECT_UNAUTHORIZED|HTTPS?_PROXY|NO_PROXY)$/i;

/** `undefined` where threads cannot be had. */
export function workerTranslator({ settings, server, tell, failed }: TranslatorParts): Translator | undefined {
  let worker: Worker;
  try {
    const wasm = translatorBytes();
    const workerData: WorkerData = { wasm, settings, server };
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => CONNECTION.test(key)));
    const name = "openinference-mlflow";
    worker = new Worker(WORKER_SOURCE, {
      ...{ name, eval: true, workerData, transferList: [wasm.buffer] },
      ...{ env, execArgv: [], argv: [], stdin: false },
    });
  } catch {
    // Node's permission model, or a runtime that has the module but no threads.
    return undefined;
  }
  let ended = false;
  const end = (error: unknown) => {
    if (ended) return;
    ended = true;
    failed(error);
  };
  worker.on("message", (update: Update) => {
    if (!ended) tell(update);
  });
  worker.on("error", end);
  worker.on("messageerror", end);
  worker.on("exit", () => end(new Error("the worker thread has ended")));
  worker.unref();
  const send = (told: Told) => worker.postMessage(told);
  return {
    ingest: (chunk) => send({ type: "ingest", chunk }),
    flush: () => send({ type: "flush" }),
    relax: () => send({ type: "relax" }),
    stop() {
      ended = true;
      void worker.terminate();
    },
  };
}
