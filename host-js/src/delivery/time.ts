/** A clock that never runs backwards, and timers that let the process end. */

const start = Date.now() - performance.now();

/** Milliseconds since the Unix epoch: the wall clock once, a monotonic clock from then on. */
export function now(): number {
  return Math.floor(start + performance.now());
}

/** A timer that can be cancelled. */
export interface Timer {
  cancel(): void;
}

/** Calls `fn` after so many milliseconds. The process may end before that, unless `keepAlive` is set. */
export function after(millis: number, fn: () => void, { keepAlive = false } = {}): Timer {
  const timer: unknown = setTimeout(fn, Math.min(millis, 2 ** 31 - 1));
  if (!keepAlive && hasUnref(timer)) timer.unref();
  return { cancel: () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]) };
}

/** Calls `fn` at the next turn of the event loop. The process does not end before that. */
export function soon(fn: () => void): void {
  if (typeof setImmediate === "function") setImmediate(fn);
  else setTimeout(fn, 0);
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
