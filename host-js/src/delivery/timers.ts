/** Timers that do not keep the process alive, wherever the runtime has a say in that. */

export interface Timer {
  cancel(): void;
}

/** After so many milliseconds; the process may end before, unless `keepAlive`. */
export function after(millis: number, fn: () => void, { keepAlive = false } = {}): Timer {
  const timer: unknown = setTimeout(fn, Math.min(millis, 2 ** 31 - 1));
  if (!keepAlive && hasUnref(timer)) timer.unref();
  return { cancel: () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]) };
}

/** At the next turn of the event loop. The process does not end before. */
export function soon(fn: () => void): void {
  if (typeof setImmediate === "function") setImmediate(fn);
  else setTimeout(fn, 0);
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
