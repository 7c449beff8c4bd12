/** In place of `node.ts` for Cloudflare's workerd, where `AsyncLocalStorage` is a module behind a compatibility flag. */

import { type StorageClass, SynchronousStorage } from "./storage.js";

export { commonJsModules, httpsSender, inflateBase64, readHomeFile, workerTranslator } from "./web.js";

const platformStorage = await loadStorage();

export const AsyncLocalStorage: StorageClass = platformStorage ?? SynchronousStorage;

export const contextLimit: string | undefined = platformStorage
  ? undefined
  : 'a span that starts after an await has no parent, because this Worker has no AsyncLocalStorage: add compatibility_flags = ["nodejs_als"] (or "nodejs_compat") to its configuration';

async function loadStorage(): Promise<StorageClass | undefined> {
  try {
    // A variable, so that no bundler resolves it.
    const name = "node:async_hooks";
    return ((await import(name)) as { AsyncLocalStorage?: StorageClass }).AsyncLocalStorage;
  } catch {
    return undefined;
  }
}
