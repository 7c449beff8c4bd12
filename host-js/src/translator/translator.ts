/** Opens a translator: a driver in a worker thread or on the main thread. Both behave the same to their caller. */

import { perform, type Server, type SuppressTracing } from "../delivery/transport.js";
import { workerTranslator } from "../platform/node.js";
import { type DrainOutcome, Driver, type DriverSettings, type TargetedChunk, type Update } from "./driver.js";
import { openBridge } from "./load.js";
import { translatorBytes, translatorModule } from "./module.js";

/** What a `Driver` does. */
export interface Translator {
  ingest(chunk: TargetedChunk): void;
  flush(): void;
  relax(): void;
  stop(): void;
  /**
   * Blocks this thread until the translator has sent everything or the server fails, at most so many milliseconds, after
   * which the outcome is `undefined`. Missing where the translator needs this thread.
   */
  drainNow?(limitMillis: number): DrainOutcome | undefined;
}

/** What a translator needs. */
export interface TranslatorParts {
  settings: DriverSettings;
  server: Server;
  update(update: Update): void;
  /** Called at most once. No update follows. */
  failed(error: unknown): void;
}

/** Opens one in the worker thread if `worker` is set and the platform has threads, else on this thread. */
export function openTranslator(
  parts: TranslatorParts,
  { worker, suppressTracing }: { worker: boolean; suppressTracing: SuppressTracing },
): Translator {
  const { settings, server, update, failed } = parts;
  return (
    (worker && workerTranslator(parts, translatorBytes)) ||
    new Driver(
      settings,
      (bridge) => openBridge(bridge, translatorModule),
      (request) => suppressTracing(() => perform(request, server)),
      update,
      failed,
    )
  );
}
