/** What every build of this package exports; `useApi` is for the entries, which hand over their copy of the API. */

import type { TracerProvider } from "@opentelemetry/api";
import { makeAutolog } from "./autolog.js";
import type { DeliveryStats } from "./delivery/stats.js";
import type { FullApi } from "./provider/apis.js";
import { addApi } from "./provider/apis.js";
import type { AutologOptions } from "./settings/options.js";
import { claim } from "./state.js";

export type { DeliveryStats } from "./delivery/stats.js";
export { MlflowSpanProcessor } from "./mlflow-span-processor.js";
export type { AutologOptions } from "./settings/options.js";
export type { ReadableSpan } from "./span/readable.js";

/**
 * Sends every OpenInference span of this process to MLflow, from now on.
 *
 * Call it once, anywhere in the start-up order: before or after instrumentations are made, before or after a provider is
 * registered, or with no provider at all. It occupies none of OpenTelemetry's global slots and changes nothing for the
 * processors that are there. Calling it again changes the options that are given and keeps the others;
 * `{ disable: true }` stops, a later call resumes.
 *
 * ```ts
 * import { autolog } from "openinference-mlflow";
 *
 * autolog({ trackingUri: "http://127.0.0.1:5000", experiment: "my-agent" });
 * ```
 */
export function autolog(options?: AutologOptions): void {
  shared.autolog(options);
}

/** Where spans go that end from now on, before or after `autolog()`. What has ended still goes where it was meant to. */
export function setTrackingUri(uri: string): void {
  shared.setTrackingUri(uri);
}

/**
 * The experiment of spans that end from now on, before or after `autolog()`: a name (created when missing), or
 * `{ id }` of one that exists.
 */
export function setExperiment(experiment: string | { name?: string; id?: string }): void {
  shared.setExperiment(experiment);
}

/**
 * Sends everything that has ended so far, traces that are not finished included. Resolves when MLflow has it, or after
 * `flushTimeoutMillis` without progress, at the latest after `timeoutMillis`. Never rejects; `stats()` says what is left.
 */
export function flush(options?: { timeoutMillis?: number }): Promise<void> {
  return shared.flush(options);
}

/** `flush()`, then stops as `autolog({ disable: true })` does. */
export function shutdown(): Promise<void> {
  return shared.shutdown();
}

/** For a provider that is never registered globally: what `autolog()` does for the others. */
export function attach(provider: TracerProvider): void {
  shared.attach(provider);
}

/** How many spans came in, are in MLflow, were dropped, cannot be stored by MLflow, and are still held. */
export function stats(): DeliveryStats {
  return shared.stats();
}

/** For the entries of this package: another copy of the API. */
export function useApi(api: FullApi): void {
  // The state may be another copy's; this copy's processors need an API of their own.
  addApi(api);
  shared.useApi(api);
}

const shared = claim(makeAutolog);
