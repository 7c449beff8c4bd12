/** What a user can set, each with its default and its environment variable. */

import type { ReadableSpan } from "../span/readable.js";

/** Options of `autolog()` and `MlflowSpanProcessor`. What is left out comes from the environment, then the default. */
export interface AutologOptions {
  /** `true` stops at once; a later call without it resumes. Default `false`. */
  disable?: boolean | undefined;
  /**
   * `true` gathers spans and sends whole traces in batches. `false` sends each trace as soon as it has ended, so that
   * nothing needs to be flushed. Default: `MLFLOW_ENABLE_ASYNC_TRACE_LOGGING`, else `true`.
   */
  batch?: boolean | undefined;
  /**
   * `true` translates and sends in a worker thread, with a `fetch` of its own; `false` on the main thread, with the
   * application's. Default: `true`, except where there are no threads or the application has set an undici dispatcher (a
   * proxy). When the thread ends unexpectedly, the main thread goes on.
   */
  worker?: boolean | undefined;
  /** `true` mutes everything this package would print. Default `false`. */
  silent?: boolean | undefined;
  /** `false` collects no traces. Default `true`. */
  logTraces?: boolean | undefined;
  /** The MLflow server, `http://` or `https://`. Default: `MLFLOW_TRACKING_URI`, else `http://127.0.0.1:5000`. */
  trackingUri?: string | undefined;
  /**
   * The experiment's name; created when missing. Default: `MLFLOW_EXPERIMENT_NAME`, else the resource attribute
   * `openinference.project.name` of the spans, else MLflow's default experiment.
   */
  experiment?: string | undefined;
  /** The experiment's id; wins over the name. Default: `MLFLOW_EXPERIMENT_ID`. */
  experimentId?: string | undefined;
  /** Links the traces to this run. Default: `MLFLOW_RUN_ID`. */
  runId?: string | undefined;
  /** MLflow's workspace. Default: `MLFLOW_WORKSPACE`. */
  workspace?: string | undefined;
  /** Basic authentication; wins over the token. Default: `MLFLOW_TRACKING_USERNAME`. */
  username?: string | undefined;
  /** Default: `MLFLOW_TRACKING_PASSWORD`. */
  password?: string | undefined;
  /** Bearer authentication. Default: `MLFLOW_TRACKING_TOKEN`. */
  token?: string | undefined;
  /** More headers for every request, for instance a gateway's key. Default: none. */
  headers?: Record<string, string> | undefined;
  /** Which finished spans go to MLflow. A span whose filter throws is kept. Default: all. */
  filter?: ((span: ReadableSpan) => boolean) | undefined;
  /** Only OpenInference spans, each below its nearest OpenInference ancestor. Default `false`. */
  openInferenceOnly?: boolean | undefined;
  /**
   * Media in base64 goes to MLflow as attachments of its trace, where the server takes them. Default:
   * `MLFLOW_TRACE_EXTRACT_ATTACHMENTS`, else `true`.
   */
  attachments?: boolean | undefined;
  /** Larger media stays in the spans, in bytes. Default: `MLFLOW_TRACE_MAX_ATTACHMENT_SIZE`, else 64 MiB. */
  attachmentMaxBytes?: number | undefined;
  /**
   * Replaces attribute values of spans, events and links before they leave the process; `status.message` comes as a key
   * of that name. Return `undefined` to leave the attribute out. A span whose mask throws is dropped and counted, never
   * sent unmasked. Default: none. What `OPENINFERENCE_HIDE_…` hides is hidden before, and never gets here.
   */
  mask?: ((value: unknown, key: string) => unknown) | undefined;
  /**
   * Tracers that were made before `trace.disable()`, or by a second copy of the API, reach no provider: OpenTelemetry
   * loses their spans. MLflow gets them; `true` gives them to the registered provider too. Default `false`.
   */
  adoptOrphans?: boolean | undefined;
  /** Sends what is left before the process ends by itself. Default `true`. */
  flushOnExit?: boolean | undefined;
  /**
   * Sends what is left on SIGTERM and SIGINT, then lets the signal end the process. `true`, or the signals.
   * Default `false`.
   */
  flushOnSignals?: boolean | readonly string[] | undefined;
  /** A flush gives up after so long without progress, in milliseconds. Default 10 000, at exit at most 5 000. */
  flushTimeoutMillis?: number | undefined;
  /** The most bytes held for delivery; beyond it spans are dropped, counted and reported. Default 256 MiB. */
  maxQueueBytes?: number | undefined;
  /** The most spans held for delivery. Default: `OTEL_BSP_MAX_QUEUE_SIZE`, else no limit but `maxQueueBytes`. */
  maxQueueSpans?: number | undefined;
}
