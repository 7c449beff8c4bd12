/** Loads the core's WebAssembly: once, synchronously, when the first span is ready to send. */

import {
  Bridge,
  type BridgeEvent,
  type Ingested,
  initSync,
  type Request,
  type Stats,
} from "../generated/translator.js";

/** The part of the core's `Bridge` that this package calls. */
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
  free(): void;
}

/** The core's settings, documented in `wit/translator.wit`. `undefined` means the default. */
export type BridgeSettings = Record<string, string | number | boolean | undefined>;

let loaded = false;

/** Opens a bridge. `module` is called for the first one only. */
export function openBridge(settings: BridgeSettings, module: () => WebAssembly.Module): TranslatorBridge {
  if (!loaded) {
    initSync({ module: module() });
    loaded = true;
  }
  return new Bridge(JSON.stringify(settings));
}
