/**
 * The copies of `@opentelemetry/api` that this package knows.
 *
 * A process may hold several: nested installations, and the CommonJS and the ESM build of 1.10, which are separate
 * singletons. Tracers that one copy hands out before a provider is registered belong to that copy's own proxy.
 */

import type { Context, ContextAPI, ContextManager, DiagAPI, ProxyTracerProvider, TraceAPI } from "@opentelemetry/api";
import { commonJsModules } from "../platform/node.js";

/** One copy, as far as this package calls it. */
export interface Api {
  trace: TraceAPI;
  context: ContextAPI;
  diag: DiagAPI;
  ROOT_CONTEXT: Context;
}

/** `trace` with the proxy that it hands out while nothing is registered. A private name, unchanged since 1.0. */
export interface TraceInternals {
  _proxyTracerProvider?: ProxyTracerProvider;
  getTracerProvider(): unknown;
  disable(): void;
}

/** `context` with the method that finds its manager. A private name, unchanged since 1.0. */
export interface ContextInternals {
  _getContextManager?: () => ContextManager;
}

const apis = new Map<object, Api>();

/** Adds a copy. Two module objects of one singleton are one copy. */
export function addApi(api: Api): void {
  if (!apis.has(api.trace)) apis.set(api.trace, api);
}

/** Every copy that was added. */
export function knownApis(): Api[] {
  return [...apis.values()];
}

/** The copy that this package itself calls: the first one. Every entry adds its own copy before anything else happens. */
export function theApi(): Api {
  const [first] = apis.values();
  return first as Api;
}

const API_FILE = /[\\/]@opentelemetry[\\/]api[\\/](build[\\/]src[\\/]index\.js|dist[\\/]index\.cjs)$/;

/** Copies that CommonJS has loaded. A bundle and the ESM loader have no such list. */
export function loadedCopies(): Api[] {
  const modules = commonJsModules();
  const copies: Api[] = [];
  for (const path in modules) {
    if (!API_FILE.test(path)) continue;
    const exports: unknown = modules[path]?.exports;
    if (isApi(exports)) copies.push(exports);
  }
  return copies;
}

function isApi(exports: unknown): exports is Api {
  return typeof exports === "object" && exports !== null && "trace" in exports && "context" in exports;
}
