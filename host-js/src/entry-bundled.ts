/** For browsers, edge runtimes and bundlers of those: one ES module. */

import * as api from "@opentelemetry/api";
import { useApi } from "./core.js";

export * from "./core.js";

useApi(api);
