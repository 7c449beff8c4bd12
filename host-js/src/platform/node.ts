/**
 * What only Node, Bun and Deno have. Builds for browsers and edge runtimes replace this file by `web.ts` or
 * `workerd.ts`, which export the same names.
 */

import { AsyncLocalStorage as NodeStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { inflateRawSync } from "node:zlib";
import type { StorageClass } from "./storage.js";

export { httpsSender } from "../delivery/https.js";
export { workerTranslator } from "../translator/worker.js";

/** Carries the active context through asynchronous calls. */
export const AsyncLocalStorage: StorageClass | undefined = NodeStorage;

/** What to say when contexts do not survive an `await` on this platform; `undefined` where they do. */
export const contextLimit: string | undefined = undefined;

/** Expands raw DEFLATE data in base64. */
export function inflateBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(inflateRawSync(Buffer.from(text, "base64")));
}

/** A text file, `~/` being the user's home folder. `undefined` where it cannot be read. */
export function readHomeFile(path: string): string | undefined {
  try {
    return readFileSync(path.replace(/^~(?=\/)/, homedir()), "utf8");
  } catch {
    return undefined;
  }
}

/** Every module that CommonJS has loaded, by file name. `undefined` where there is no such list. */
export function commonJsModules(): NodeJS.Dict<{ exports: unknown }> | undefined {
  try {
    // `require.cache` is one object for the process. A bundle has no `require` to ask for it, and often no file name.
    requireCache ??= createRequire(process.execPath).cache;
    return requireCache;
  } catch {
    return undefined;
  }
}

let requireCache: NodeJS.Dict<{ exports: unknown }> | undefined;
