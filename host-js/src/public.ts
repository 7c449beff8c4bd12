/** The public functions of every build. */

import type { TracerProvider } from "@opentelemetry/api";
import { Autolog } from "./autolog.js";
import type { DeliveryStats } from "./delivery/stats.js";
import type { Feedback } from "./feedback.js";
import { type Api, addApi } from "./provider/api-copies.js";
import type { AutologOptions } from "./settings/options.js";
import { claim } from "./state.js";

export type { DeliveryStats } from "./delivery/stats.js";
export type { Feedback } from "./feedback.js";
export { MlflowSpanProcessor } from "./mlflow-span-processor.js";
export type { AutologOptions } from "./settings/options.js";
export type { ReadableSpan } from "./span/readable.js";

/**
 * Sends every OpenInference span of this process to MLflow, from now on.
 *
 * Call it once, anywhere in your start-up code: before or after you make instrumentations, before or after you register a
 * provider, or without a provider. It occupies none of OpenTelemetry's global slots and changes nothing for other span
 * processors. Another call changes the given options and keeps the others. `{ disable: true }` stops, and a later call
 * resumes. It never throws: a bad option is reported and ignored.
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

/**
 * Sets the MLflow server for spans that end from now on, before or after `autolog()`. Default: `MLFLOW_TRACKING_URI`, else
 * `http://127.0.0.1:5000`. Spans that have ended keep their destination.
 */
export function setTrackingUri(uri: string): void {
  shared.setTrackingUri(uri);
}

/**
 * Sets the experiment for spans that end from now on, before or after `autolog()`: a name, which is created when it is
 * missing, or `{ id }` of an existing one. Default: `MLFLOW_EXPERIMENT_ID` or `MLFLOW_EXPERIMENT_NAME`.
 */
export function setExperiment(experiment: string | { name?: string; id?: string }): void {
  shared.setExperiment(experiment);
}

/**
 * Sends every span that has ended so far, also of unfinished traces. Resolves when MLflow has them, after
 * `flushTimeoutMillis` (10 000) without progress, when the server denies access, or after `timeoutMillis` (no default).
 * Never rejects: `stats()` says what is left.
 */
export function flush(options?: { timeoutMillis?: number }): Promise<void> {
  return shared.flush(options);
}

/** Flushes, then stops like `autolog({ disable: true })`. */
export function shutdown(): Promise<void> {
  return shared.shutdown();
}

/** Sends the spans of a provider that is never registered globally, so that `autolog()` cannot find it. */
export function attach(provider: TracerProvider): void {
  shared.attach(provider);
}

/** Counts spans by their state. */
export function stats(): DeliveryStats {
  return shared.stats();
}

/** The id of the last trace whose root span has ended, as MLflow writes it (`tr-…`). */
export function getLastTraceId(): string | undefined {
  return shared.getLastTraceId();
}

/**
 * The address at which MLflow's UI shows a trace. Default: the last one. `undefined` until the trace's experiment is known:
 * call `await flush()` first.
 */
export function getTraceUrl(traceId?: string): string | undefined {
  return shared.getTraceUrl(traceId);
}

/**
 * Records feedback on a trace or a span as an MLflow assessment. Returns at once: the feedback is sent with the spans.
 *
 * ```ts
 * logFeedback({ traceId: getLastTraceId(), name: "helpful", value: true, rationale: "It solved my problem." });
 * ```
 */
export function logFeedback(feedback: Feedback): void {
  shared.logFeedback(feedback);
}

/** For the entries of this package: adds their copy of the API. */
export function useApi(api: Api): void {
  // Another copy of this package may own the state. The processors of this copy need an API, too.
  addApi(api);
  shared.useApi(api);
}

const shared = claim(() => new Autolog());
