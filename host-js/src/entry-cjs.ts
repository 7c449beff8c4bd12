/** `require("openinference-mlflow")`: the one instance in a Node process. */

import * as api from "@opentelemetry/api";
import { useApi } from "./core.js";

export * from "./core.js";

useApi(api);
