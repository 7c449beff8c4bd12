/**
 * Finds copies of `@opentelemetry/api` that this package cannot reach, so that it can say why their spans are missing.
 *
 * A bundler may put a copy inside a file of the application. Such a copy finds a registered provider, as all copies do, but
 * nothing can be installed into it while there is none. It shows itself only when it looks for a provider: then its file
 * is on the stack.
 */

import type { Api, TraceInternals } from "./api-copies.js";

/** Reading a stack takes a while: do it now and then, and not for ever. */
const SAMPLE_MILLIS = 20;
const MAX_SAMPLES = 500;

/** Next.js traces itself through a copy of its own, for which it registers a provider only when asked. */
const FRAMEWORK = /[\\/]next[\\/]dist[\\/]/;

const marked = new WeakSet<object>();
let insideKnownCopy = 0;

/** Marks lookups through this copy as reachable. */
export function markKnown(api: Api): void {
  const trace = api.trace as unknown as TraceInternals;
  if (marked.has(trace)) return;
  marked.add(trace);
  const getTracerProvider = trace.getTracerProvider;
  trace.getTracerProvider = () => {
    insideKnownCopy++;
    try {
      return getTracerProvider.call(trace);
    } finally {
      insideKnownCopy--;
    }
  };
}

/** Watches lookups that find no provider. */
export class UnreachableCopies {
  #samples = 0;
  #nextAt = 0;
  readonly #seen = new Set<string>();

  /** `found` is called with a file's name, once. */
  constructor(private readonly found: (file: string) => void) {}

  /** A copy has found no provider. All copies that can be reached have been reached. */
  missed(): void {
    if (insideKnownCopy > 0 || this.#samples >= MAX_SAMPLES || performance.now() < this.#nextAt) return;
    this.#samples++;
    this.#nextAt = performance.now() + SAMPLE_MILLIS;
    const file = lookingFile(new Error().stack ?? "");
    if (!file || FRAMEWORK.test(file)) return;
    // A copy that could be reached was reached after its first lookup.
    if (!this.#seen.has(file)) {
      this.#seen.add(file);
      return;
    }
    this.#samples = MAX_SAMPLES;
    this.found(file);
  }
}

/** The file whose copy of the API looks for a tracer. */
function lookingFile(stack: string): string | undefined {
  const frame = stack.split("\n").find((line) => /\.getTracerProvider\b/.test(line));
  return frame?.match(/\(?((?:file:\/\/|[a-z]:\\|\/)[^()]*?):\d+:\d+\)?$/i)?.[1];
}
