/**
 * Finds copies of `@opentelemetry/api` that this package cannot reach, so that it can say why their spans are missing.
 *
 * A bundler may put a copy inside a file of the application. Such a copy finds a registered provider, as all copies do, but
 * nothing can be installed into it while there is none. It shows itself only when it looks for a provider: then its file
 * is on the stack.
 */

import type { Api, TraceInternals } from "./api-copies.js";

/**
 * Reading a stack takes a while: do it for so many lookups in a row, then one in so many milliseconds, and not for ever. A
 * framework looks for a tracer many times in a request, and the application's lookups are among these.
 */
const BURST = 50;
const SAMPLE_MILLIS = 20;
const MAX_SAMPLES = 1_000;

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
  /** How many lookups may be read now, as of `#countedAt`. */
  #allowed = BURST;
  #countedAt = 0;
  readonly #seen = new Set<string>();

  /** `found` is called with a file's name, once. */
  constructor(private readonly found: (file: string) => void) {}

  /** A copy has found no provider. All copies that can be reached have been reached. */
  missed(): void {
    if (insideKnownCopy > 0 || this.#samples >= MAX_SAMPLES || !this.#mayRead()) return;
    this.#samples++;
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

  #mayRead(): boolean {
    const now = performance.now();
    this.#allowed = Math.min(BURST, this.#allowed + (now - this.#countedAt) / SAMPLE_MILLIS);
    this.#countedAt = now;
    if (this.#allowed < 1) return false;
    this.#allowed--;
    return true;
  }
}

/** The file whose copy of the API looks for a tracer. */
function lookingFile(stack: string): string | undefined {
  const frame = stack.split("\n").find((line) => /\.getTracerProvider\b/.test(line));
  return frame?.match(/\(?((?:file:\/\/|[a-z]:\\|\/)[^()]*?):\d+:\d+\)?$/i)?.[1];
}
