/** In place of `node.ts` for browsers and edge runtimes: no threads, no certificates, no CommonJS. */

import { inflateSync } from "fflate";
import type { Send } from "../delivery/http.js";
import type { TlsSettings } from "../settings/server.js";
import type { Translator } from "../translator/translator.js";
import { type StorageClass, SynchronousStorage } from "./storage.js";

const platformStorage = (globalThis as { AsyncLocalStorage?: StorageClass }).AsyncLocalStorage;

/** A global on most edge runtimes. */
export const AsyncLocalStorage: StorageClass = platformStorage ?? SynchronousStorage;

export const contextLimit: string | undefined = undefined;

export function inflateBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(inflateSync(Uint8Array.from(atob(text), (character) => character.charCodeAt(0))));
}

/** There are no files. */
export function readHomeFile(_path: string): string | undefined {
  return undefined;
}

export function commonJsModules(): undefined {
  return undefined;
}

/** The platform verifies certificates itself. */
export function httpsSender(_tls: TlsSettings): Send | undefined {
  return undefined;
}

export function workerTranslator(): Translator | undefined {
  return undefined;
}
