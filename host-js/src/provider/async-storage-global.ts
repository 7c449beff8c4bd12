/** `AsyncLocalStorage` where it is no module: browsers have none, most edge runtimes have it as a global. */

import type { StorageClass } from "./async-storage.js";

export const AsyncLocalStorage = (globalThis as { AsyncLocalStorage?: StorageClass }).AsyncLocalStorage;
