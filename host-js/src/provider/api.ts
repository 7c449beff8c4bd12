/**
 * The copies of `@opentelemetry/api` that this package can reach.
 *
 * A process may hold several: nested installations, and the CommonJS and the ESM build of 1.10, which are separate
 * singletons. Tracers that one copy hands out before a provider is registered belong to that copy's own proxy.
 */

import type { ContextAPI, ContextManager, DiagAPI, ProxyTracerProvider, TraceAPI } from "@opentelemetry/api";

export interface Api {
  trace: TraceAPI;
  context: ContextAPI;
  diag: DiagAPI;
}

/** `trace` with the proxy that it hands out while nothing is registered; a private name, the same since 1.0. */
export interface TraceInternals {
  _proxyTracerProvider?: ProxyTracerProvider;
  disable(): void;
}

/** `context` with what it asks for its manager; a private name, the same since 1.0. */
export interface ContextInternals {
  _getContextManager?: () => ContextManager;
}

/** Copies that CommonJS has loaded. A bundle has none to look at. */
export function loadedCopies(): Api[] {
  const cache = typeof require === "function" ? require.cache : undefined;
  if (!cache) return [];
  const copies: Api[] = [];
  for (const path in cache) {
    if (!/[\\/]@opentelemetry[\\/]api[\\/](build[\\/]src[\\/]index\.js|dist[\\/]index\.cjs)$/.test(path)) continue;
    const exports: unknown = cache[path]?.exports;
    if (isApi(exports)) copies.push(exports);
  }
  return copies;
}

function isApi(exports: unknown): exports is Api {
  return typeof exports === "object" && exports !== null && "trace" in exports && "context" in exports;
}
