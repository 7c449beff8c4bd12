/** The core, in WebAssembly: instantiated once, synchronously, at the first span that is to be sent. */

import {
  Bridge,
  type BridgeEvent,
  type Ingested,
  initSync,
  type Request,
  type Stats,
} from "../generated/translator.js";

/** The core's `Bridge`, in this package's words. */
export interface TranslatorBridge {
  ingestChunk(
    chunk: Uint8Array,
    experimentId: string,
    experimentName: string,
    runId: string,
    workspace: string,
    now: number,
  ): Ingested;
  poll(now: number): Request[];
  complete(request: number, status: number, headers: string[], body: Uint8Array, now: number): void;
  completeWithoutAnswer(request: number, reason: string, now: number): void;
  events(): BridgeEvent[];
  nextWakeup(): number | undefined;
  flush(now: number): void;
  stats(): Stats;
}

/** The core's settings, as `wit/translator.wit` documents them; `undefined` leaves a default. */
export type BridgeSettings = Record<string, string | number | boolean | undefined>;

let loaded = false;

export function openBridge(settings: BridgeSettings, module: () => WebAssembly.Module): TranslatorBridge {
  if (!loaded) {
    initSync({ module: module() });
    loaded = true;
  }
  return new Bridge(JSON.stringify(settings));
}
