/** The options that a user can set, each with its default and its environment variable. */

import type { ReadableSpan } from "../span/readable.js";

/** Options of `autolog()` and `MlflowSpanProcessor`. An option wins over its variable, a variable over the default. */
export interface AutologOptions {
  /**
   * `true` stops at once. A later call without it resumes. Default: `OPENINFERENCE_MLFLOW_DISABLED`, else
   * `OTEL_SDK_DISABLED`, else `false`.
   */
  disable?: boolean | undefined;
  /**
   * `true` collects spans and sends whole traces in batches. `false` sends each trace as soon as it has ended, so that
   * you need no flush. Default: `MLFLOW_ENABLE_ASYNC_TRACE_LOGGING`, else `true`.
   */
  batch?: boolean | undefined;
  /**
   * `true` translates and sends in a worker thread, with the thread's own `fetch`; `false` on the main thread, with the
   * application's `fetch`. Default: `true`, except where there are no threads or the application has set an undici
   * dispatcher (a proxy). If the thread ends unexpectedly, the main thread takes over.
   */
  worker?: boolean | undefined;
  /** `true` prints nothing. Default `false`. */
  silent?: boolean | undefined;
  /** `false` collects no traces. Default `true`. */
  logTraces?: boolean | undefined;
  /**
   * Address of the MLflow server, `http://` or `https://`, or `databricks`. Default: `MLFLOW_TRACKING_URI`, else
   * `http://127.0.0.1:5000`.
   */
  trackingUri?: string | undefined;
  /**
   * The experiment's name. It is created when it is missing. Default: `MLFLOW_EXPERIMENT_NAME`, else the resource attribute
   * `openinference.project.name` of the spans, else MLflow's default experiment.
   */
  experiment?: string | undefined;
  /** The experiment's id. It wins over the name. Default: `MLFLOW_EXPERIMENT_ID`. */
  experimentId?: string | undefined;
  /** Links the traces to this run. Default: `MLFLOW_RUN_ID`. */
  runId?: string | undefined;
  /** MLflow's workspace. Default: `MLFLOW_WORKSPACE`. */
  workspace?: string | undefined;
  /**
   * Where in Unity Catalog a Databricks workspace keeps the traces, as `catalog.schema.prefix` or `catalog.schema`. Default:
   * `MLFLOW_TRACING_DESTINATION`.
   */
  traceLocation?: string | undefined;
  /** User name for basic authentication, which wins over the token. Default: `MLFLOW_TRACKING_USERNAME`. */
  username?: string | undefined;
  /** Password for basic authentication. Default: `MLFLOW_TRACKING_PASSWORD`. */
  password?: string | undefined;
  /** Token for bearer authentication. Default: `MLFLOW_TRACKING_TOKEN`; of a Databricks workspace `DATABRICKS_TOKEN`. */
  token?: string | undefined;
  /** Headers to add to every request, for instance the key of a proxy. Default: none. */
  headers?: Record<string, string> | undefined;
  /**
   * Returns whether a finished span goes to MLflow. Children of a span that is left out move to its nearest kept
   * ancestor. A span for which the filter throws is kept. Default: all spans.
   */
  filter?: ((span: ReadableSpan) => boolean) | undefined;
  /** `true` sends only OpenInference spans, each below its nearest OpenInference ancestor. Default `false`. */
  openInferenceOnly?: boolean | undefined;
  /**
   * `true` sends base64 media to MLflow as attachments of the trace, if the server accepts them. Default:
   * `MLFLOW_TRACE_EXTRACT_ATTACHMENTS`, else `true`.
   */
  attachments?: boolean | undefined;
  /** Media above this size, in bytes, stays in the spans. Default: `MLFLOW_TRACE_MAX_ATTACHMENT_SIZE`, else 64 MiB. */
  attachmentMaxBytes?: number | undefined;
  /**
   * Replaces attribute values of spans, events and links before they leave the process. The status message comes under
   * the key `status.message`. Return `undefined` to leave the attribute out. A span for which the mask throws is dropped
   * and counted, never sent unmasked. Values that `OPENINFERENCE_HIDE_…` hides never reach the mask. Default: none.
   */
  mask?: ((value: unknown, key: string) => unknown) | undefined;
  /**
   * Tracers that were made before `trace.disable()`, or by a second copy of the API, reach no provider, so OpenTelemetry
   * loses their spans. MLflow gets them. `true` gives them to the registered provider too. Default `false`.
   */
  adoptOrphans?: boolean | undefined;
  /**
   * `true` registers a minimal global provider and context manager if the process has none. Copies of the API that are
   * hidden in a bundle (Next.js 15 with `ai@5`) only find a registered provider. Default `false`.
   */
  registerProvider?: boolean | undefined;
  /** `true` sends the remaining spans when the process ends normally, or by an uncaught exception. Default `true`. */
  flushOnExit?: boolean | undefined;
  /**
   * `true` sends the remaining spans on SIGTERM and SIGINT, then lets the signal end the process. Or a list of signals.
   * Default `false`.
   */
  flushOnSignals?: boolean | readonly string[] | undefined;
  /** A flush gives up after so many milliseconds without progress. Default 10 000; at exit at most 5 000. */
  flushTimeoutMillis?: number | undefined;
  /** The most bytes held for delivery. Spans beyond it are dropped, counted and reported. Default 256 MiB. */
  maxQueueBytes?: number | undefined;
  /** The most spans held for delivery. Default: `OTEL_BSP_MAX_QUEUE_SIZE`, else no limit but `maxQueueBytes`. */
  maxQueueSpans?: number | undefined;
}
