/** `import "openinference-mlflow"` in Node: the CommonJS instance, told about the ESM build of the API. */

import * as api from "@opentelemetry/api";
import type * as Core from "./core.js";
// @ts-expect-error: the build makes this file of `entry-cjs.ts`
import commonjs from "./index.cjs";

const core = commonjs as typeof Core;

export const { attach, autolog, flush, MlflowSpanProcessor, setExperiment, setTrackingUri, shutdown, stats } = core;

core.useApi(api);
