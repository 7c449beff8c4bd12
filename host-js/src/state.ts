/**
 * What there is once in a process, however often this package is loaded (ESM and CommonJS, two bundles, two versions).
 *
 * The copy that is loaded first does the work; the others find it here and call it.
 */

import type { DeliveryStats } from "./delivery/stats.js";
import type { Pipeline } from "./pipeline.js";
import type { FullApi } from "./provider/apis.js";
import type { SpanLineage } from "./provider/lineage.js";
import type { AutologOptions } from "./settings/options.js";

/** What a later copy calls of the first one. Grows, never changes: versions may meet. */
export interface Shared {
  autolog(options?: AutologOptions): void;
  attach(provider: unknown): void;
  setTrackingUri(uri: string): void;
  setExperiment(experiment: string | { name?: string; id?: string }): void;
  flush(options?: { timeoutMillis?: number }): Promise<void>;
  shutdown(): Promise<void>;
  stats(): DeliveryStats;
  useApi(api: FullApi): void;
  watchExits(): void;
  lineage: SpanLineage;
  pipelines: Set<Pipeline>;
}

const KEY = Symbol.for("openinference-mlflow.state");

type Global = { [KEY]?: Shared };

/** Makes the state if this copy is the first. */
export function claim(make: () => Shared): Shared {
  const global = globalThis as Global;
  global[KEY] ??= make();
  return global[KEY];
}

/** There is a state as soon as any entry of the package is loaded. */
export function state(): Shared {
  return (globalThis as Global)[KEY] as Shared;
}
