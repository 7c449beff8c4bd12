/** Milliseconds since the Unix epoch that never run backwards: the wall clock once, a monotonic clock from then on. */

const start = Date.now() - performance.now();

export function now(): number {
  return Math.floor(start + performance.now());
}
