/** `require("openinference-mlflow")`: the one instance in a Node process. */

import * as api from "@opentelemetry/api";
import { useApi } from "./core.js";

export * from "./core.js";

useApi(api);
// API 1.10 has an ESM build that is a singleton of its own. Bundlers and runtimes without it make this a no-op.
void import("@opentelemetry/api").then(useApi, () => {});
