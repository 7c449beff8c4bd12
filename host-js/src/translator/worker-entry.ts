/** What runs in the worker thread: one driver, told and telling by messages. What fails here ends the thread. */

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { perform } from "../delivery/transport.js";
import { Driver, type Update } from "./driver.js";
import { openBridge } from "./load.js";
import type { Told, WorkerData } from "./worker.js";

const port = parentPort as MessagePort;
const { wasm, settings, server } = workerData as WorkerData;

const driver = new Driver(
  settings,
  (bridge) => openBridge(bridge, () => new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)),
  (request) => perform(request, server),
  (update) => {
    if (isNews(update)) port.postMessage(update);
  },
  (error) => {
    throw error;
  },
);

port.on("message", (told: Told) => {
  if (told.type === "ingest") driver.ingest(told.chunk);
  else if (told.type === "flush") driver.flush();
  else driver.relax();
});

function isNews({ progress, silence, taken, refused, done, notices }: Update): boolean {
  return progress || silence || [taken, refused, done, notices].some((part) => part.length > 0);
}
