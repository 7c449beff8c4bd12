/** The public types of every entry. */

export type { AutologOptions, DeliveryStats, ReadableSpan } from "./core.js";
export {
  attach,
  autolog,
  flush,
  MlflowSpanProcessor,
  setExperiment,
  setTrackingUri,
  shutdown,
  stats,
} from "./core.js";
