/** The core at work, in a worker thread or beside the application; both look the same from outside. */

import { perform, type Quietly, type Server } from "../delivery/transport.js";
import { Driver, type DriverSettings, type TargetedChunk, type Update } from "./driver.js";
import { openBridge } from "./load.js";
import { translatorModule } from "./module.js";
import { workerTranslator } from "./worker.js";

/** What a `Driver` does. */
export interface Translator {
  ingest(chunk: TargetedChunk): void;
  flush(): void;
  relax(): void;
  stop(): void;
}

export interface TranslatorParts {
  settings: DriverSettings;
  server: Server;
  tell(update: Update): void;
  /** Called once at most; nothing is told any more after it. */
  failed(error: unknown): void;
}

/** In a worker thread, which sends with a `fetch` of its own, or beside the application with the application's. */
export function openTranslator(
  parts: TranslatorParts,
  { worker, quietly }: { worker: boolean; quietly: Quietly },
): Translator {
  const { settings, server, tell, failed } = parts;
  return (
    (worker && workerTranslator(parts)) ||
    new Driver(
      settings,
      (bridge) => openBridge(bridge, translatorModule),
      (request) => quietly(() => perform(request, server)),
      tell,
      failed,
    )
  );
}
