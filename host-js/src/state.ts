/**
 * What exists once in a process, however often this package is loaded (ESM and CommonJS, two bundles, two versions).
 *
 * The copy that is loaded first does the work. The others find it here and call it.
 */

import type { DeliveryStats } from "./delivery/stats.js";
import type { Feedback } from "./feedback.js";
import type { Pipeline } from "./pipeline.js";
import type { Api } from "./provider/api-copies.js";
import type { SpanLineage } from "./provider/lineage.js";
import type { AutologOptions } from "./settings/options.js";

/** What a later copy calls of the first one. Members are added, never changed or removed, because versions may meet. */
export interface Shared {
  autolog(options?: AutologOptions): void;
  attach(provider: unknown): void;
  setTrackingUri(uri: string): void;
  setExperiment(experiment: string | { name?: string; id?: string }): void;
  flush(options?: { timeoutMillis?: number }): Promise<void>;
  shutdown(): Promise<void>;
  stats(): DeliveryStats;
  getLastTraceId(): string | undefined;
  getTraceUrl(traceId?: string): string | undefined;
  logFeedback(feedback: Feedback): void;
  useApi(api: Api): void;
  /** A pipeline for a processor of the user. It takes part in `flush`, `stats` and the hooks for the end of the process. */
  openPipeline(options: AutologOptions): Pipeline;
  lineage: SpanLineage;
}

const KEY = Symbol.for("openinference-mlflow.state");

type Global = { [KEY]?: Shared };

/** Makes the state if this copy is the first. */
export function claim(make: () => Shared): Shared {
  const global = globalThis as Global;
  global[KEY] ??= make();
  return global[KEY];
}

/** The state. It exists as soon as any entry of the package is loaded. */
export function state(): Shared {
  return (globalThis as Global)[KEY] as Shared;
}
