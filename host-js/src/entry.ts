/** Every entry of the package: the public functions, with this module system's copy of the API. */

import * as api from "@opentelemetry/api";
import { useApi } from "./public.js";

export * from "./public.js";

useApi(api);
