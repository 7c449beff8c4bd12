/** Test runners end their workers without an `exit` event, so that nobody could send the last spans. */

/** Vitest's state of a worker, as far as it is needed. Internal; in Vitest 3.2 and later. */
interface VitestWorker {
  onCleanup?(listener: () => void): void;
}

/** Calls `fn` when the worker of a test runner ends, if the runner tells. */
export function onTestsEnd(fn: () => void): void {
  const { __vitest_worker__: worker } = globalThis as { __vitest_worker__?: VitestWorker };
  worker?.onCleanup?.(fn);
}

/** Whether Jest runs this code. Its sandbox hides the end of the process. */
export function isJest(): boolean {
  return typeof process !== "undefined" && process.env?.JEST_WORKER_ID !== undefined;
}
