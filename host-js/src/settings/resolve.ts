/** Combines options and environment into one complete set of settings. */

import type { ReadableSpan } from "../span/readable.js";
import { checkHeaders } from "./check.js";
import { findWorkspace, isDatabricks } from "./databricks.js";
import { type Complain, readBoolean, readCount, readText, shorten } from "./environment.js";
import { composeMasks, readHideSettings } from "./hide.js";
import type { AutologOptions } from "./options.js";
import { parseTrackingUri, readTlsSettings, type TlsSettings } from "./server.js";

/** Where and how spans are sent. Each distinct set of these has one delivery. */
export interface DeliverySettings {
  /** Without credentials and without a slash at its end. */
  trackingUri: string;
  /** Neither an option nor the environment names the server. */
  trackingUriIsDefault: boolean;
  /** In Unity Catalog, if the server is a Databricks workspace. */
  traceLocation: string | undefined;
  /** Credentials and the user's headers, names in lower case. */
  headers: Record<string, string>;
  /** Unset: as the runtime does it. */
  tls: TlsSettings | undefined;
  batch: boolean;
  /** Translate in a worker thread, if the platform has threads. */
  worker: boolean;
  openInferenceOnly: boolean;
  /** There is a filter, so traces are sent when they are whole: only then it is known where children move. */
  omitsSpans: boolean;
  attachments: boolean;
  /** Unset: the core's. */
  attachmentMaxBytes: number | undefined;
  maxQueueBytes: number;
  maxQueueSpans: number;
  /** `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, `OTEL_BSP_EXPORT_TIMEOUT`; unset: the core's. */
  settleMillis: number | undefined;
  batchSpans: number | undefined;
  timeoutMillis: number | undefined;
}

/** The place of a span in MLflow. It may differ from span to span. */
export interface Target {
  experimentId: string;
  experimentName: string;
  runId: string;
  workspace: string;
}

/** Everything that options and environment decide. */
export interface Settings {
  enabled: boolean;
  silent: boolean;
  delivery: DeliverySettings;
  target: Target;
  filter: ((span: ReadableSpan) => boolean) | undefined;
  mask: ((value: unknown, key: string) => unknown) | undefined;
  adoptOrphans: boolean;
  registerProvider: boolean;
  flushOnExit: boolean;
  signals: readonly string[];
  flushTimeoutMillis: number;
}

/** Where undici, which is Node's `fetch`, keeps the dispatcher of `setGlobalDispatcher`. */
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

const DEFAULT_QUEUE_BYTES = 256 * 1024 * 1024;
/** The core accepts no less. */
const LEAST_QUEUE_BYTES = 1024 * 1024;

/** Resolves checked options. */
export function resolve(options: AutologOptions, complain: Complain): Settings {
  const count = (option: number | undefined, name: string, fallback: number) =>
    option !== undefined && option > 0 ? option : (readCount(name, complain) ?? fallback);

  const uriText = text(options.trackingUri, "MLFLOW_TRACKING_URI");
  const server = findServer(uriText, options, complain);
  const headers = { ...server?.credentials, ...checkHeaders(options.headers ?? {}, complain) };

  const experimentId = text(options.experimentId, "MLFLOW_EXPERIMENT_ID");
  if (experimentId && !/^\d+$/.test(experimentId)) {
    complain(
      `MLFLOW_EXPERIMENT_ID="${shorten(experimentId)}" is ignored, and traces go to the default experiment: expected a ` +
        "number, as MLflow numbers experiments; for a name write MLFLOW_EXPERIMENT_NAME",
    );
  }
  return {
    enabled: !isDisabled(options, complain) && options.logTraces !== false && server !== undefined,
    silent: options.silent ?? false,
    delivery: {
      trackingUri: server?.address ?? "",
      trackingUriIsDefault: uriText === "",
      traceLocation: server?.traceLocation,
      headers,
      tls: server?.address.startsWith("https:") ? readTlsSettings(complain) : undefined,
      batch: options.batch ?? readBoolean("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", complain) ?? true,
      worker: options.worker ?? !hasOwnDispatcher(),
      openInferenceOnly: options.openInferenceOnly ?? false,
      omitsSpans: options.filter !== undefined,
      attachments: options.attachments ?? readBoolean("MLFLOW_TRACE_EXTRACT_ATTACHMENTS", complain) ?? true,
      attachmentMaxBytes: options.attachmentMaxBytes ?? readCount("MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", complain),
      maxQueueBytes: Math.max(options.maxQueueBytes ?? DEFAULT_QUEUE_BYTES, LEAST_QUEUE_BYTES),
      maxQueueSpans: count(options.maxQueueSpans, "OTEL_BSP_MAX_QUEUE_SIZE", Number.POSITIVE_INFINITY),
      settleMillis: readCount("OTEL_BSP_SCHEDULE_DELAY", complain),
      batchSpans: readCount("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", complain),
      timeoutMillis: readCount("OTEL_BSP_EXPORT_TIMEOUT", complain),
    },
    target: {
      experimentId: /^\d+$/.test(experimentId) ? experimentId : "",
      // A name that a caller gives wins over an id that the environment gives.
      ...experimentName(options),
      runId: text(options.runId, "MLFLOW_RUN_ID"),
      workspace: text(options.workspace, "MLFLOW_WORKSPACE"),
    },
    filter: options.filter,
    mask: composeMasks(readHideSettings(complain), options.mask),
    adoptOrphans: options.adoptOrphans ?? false,
    registerProvider: options.registerProvider ?? false,
    flushOnExit: options.flushOnExit ?? true,
    signals: signals(options.flushOnSignals),
    flushTimeoutMillis: options.flushTimeoutMillis ?? 10_000,
  };
}

/** Where requests go, and the headers with which they authenticate. */
interface Server {
  address: string;
  credentials: Record<string, string>;
  traceLocation?: string;
}

function findServer(uriText: string, options: AutologOptions, complain: Complain): Server | undefined {
  if (isDatabricks(uriText)) {
    const workspace = findWorkspace(uriText, options, complain);
    const uri = workspace && parseTrackingUri(workspace.host, complain);
    if (!workspace || !uri) return undefined;
    const credentials = { authorization: `Bearer ${workspace.token}` };
    return { address: uri.address, credentials, traceLocation: workspace.traceLocation };
  }
  const uri = parseTrackingUri(uriText, complain);
  if (!uri) return undefined;
  const username = text(options.username, "MLFLOW_TRACKING_USERNAME") || uri.username;
  const password = text(options.password, "MLFLOW_TRACKING_PASSWORD") || uri.password;
  const token = text(options.token, "MLFLOW_TRACKING_TOKEN");
  const credentials: Record<string, string> = {};
  if (username && password) credentials.authorization = `Basic ${base64(`${username}:${password}`)}`;
  else if (token) credentials.authorization = `Bearer ${token}`;
  return { address: uri.address, credentials };
}

/** An option's text, else its variable's. */
function text(option: string | undefined, name: string): string {
  return option?.trim() || readText(name) || "";
}

function experimentName(options: AutologOptions): { experimentName: string; experimentId?: string } {
  const given = options.experiment?.trim();
  if (given && !options.experimentId) return { experimentName: given, experimentId: "" };
  return { experimentName: given || readText("MLFLOW_EXPERIMENT_NAME") || "" };
}

/** The application routes its `fetch` in its own way, mostly through a proxy. The `fetch` of a worker would not. */
function hasOwnDispatcher(): boolean {
  const dispatcher = (globalThis as { [DISPATCHER]?: object })[DISPATCHER];
  return dispatcher !== undefined && dispatcher.constructor.name !== "Agent";
}

function signals(option: AutologOptions["flushOnSignals"]): readonly string[] {
  if (option === true) return ["SIGTERM", "SIGINT"];
  return option || [];
}

/** Whether the user turned tracing off. The variables concern whole environments, such as tests. */
export function isDisabled(options: AutologOptions, complain: Complain): boolean {
  return (
    options.disable ||
    (readBoolean("OPENINFERENCE_MLFLOW_DISABLED", complain) ??
      // The specification: any value but "true" means false.
      readText("OTEL_SDK_DISABLED")?.toLowerCase() === "true")
  );
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
