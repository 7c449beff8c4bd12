/** `AsyncLocalStorage` of Node, Bun and Deno; other builds put `async-storage-global.ts` in this place. */

import * as hooks from "node:async_hooks";

export interface Storage<T> {
  getStore(): T | undefined;
  run<R>(store: T, fn: () => R): R;
  enterWith?(store: T): void;
}

export type StorageClass = new <T>() => Storage<T>;

export const AsyncLocalStorage: StorageClass | undefined = hooks.AsyncLocalStorage;
