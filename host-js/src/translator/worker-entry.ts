/** Runs in the worker thread: one driver for each delivery of the process. An error here ends the thread. */

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { perform } from "../delivery/transport.js";
import { DRAIN_FAILURES, type DrainOutcome, Driver, type Update } from "./driver.js";
import { openBridge } from "./load.js";
import type { WorkerCommand, WorkerData } from "./worker.js";

const port = parentPort as MessagePort;
const { wasm } = workerData as WorkerData;
const drivers = new Map<number, Driver>();

port.on("message", (command: WorkerCommand) => {
  const { id, type } = command;
  if (type === "open") drivers.set(id, open(command));
  else if (type === "ingest") drivers.get(id)?.ingest(command.chunk);
  else if (type === "flush") drivers.get(id)?.flush();
  else if (type === "relax") drivers.get(id)?.relax();
  else if (type === "drain") drivers.get(id)?.drain((outcome) => answer(command.signal, outcome));
  else if (type === "stop") {
    drivers.get(id)?.stop();
    drivers.delete(id);
  }
});

function open({ id, settings, server }: Extract<WorkerCommand, { type: "open" }>): Driver {
  return new Driver(
    settings,
    (bridge) => openBridge(bridge, () => new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)),
    (request) => perform(request, server),
    (update) => {
      if (isNews(update)) port.postMessage({ id, update });
    },
    (error) => {
      throw error;
    },
  );
}

/** Wakes the main thread, which is blocked. */
function answer(signal: Int32Array, { left, failure }: DrainOutcome): void {
  Atomics.store(signal, 1, left);
  Atomics.store(signal, 0, 1 + DRAIN_FAILURES.indexOf(failure));
  Atomics.notify(signal, 0);
}

function isNews({ progress, silence, denied, taken, refused, done, notices }: Update): boolean {
  const isTrouble = silence !== undefined || denied !== undefined;
  return progress || isTrouble || [taken, refused, done, notices].some((part) => part.length > 0);
}
