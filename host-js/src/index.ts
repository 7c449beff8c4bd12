/** The public types of every entry. */

export type { AutologOptions, DeliveryStats, Feedback, ReadableSpan } from "./public.js";
export {
  attach,
  autolog,
  flush,
  getLastTraceId,
  getTraceUrl,
  logFeedback,
  MlflowSpanProcessor,
  setExperiment,
  setTrackingUri,
  shutdown,
  stats,
} from "./public.js";
