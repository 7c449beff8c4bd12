/**
 * The end of the process.
 *
 * `beforeExit` (the process has nothing left to do) allows a flush. So does a signal, if the user asks for it. At
 * `process.exit` and after an uncaught exception there is no event loop any more: the main thread then blocks for a short
 * time, while the worker thread sends. Spans that are left are counted in a message.
 */

import { onTestsEnd } from "./test-runners.js";

/** What the hooks ask for. */
export interface Exits {
  flushOnExit(): boolean;
  flush(): Promise<void>;
  /** Blocks until everything is sent, within a limit; returns how many spans are left. */
  drainNow(limitMillis: number): number;
  /** How many spans are lost if the process ends now. */
  pending(): number;
  /** Why they are still here, if the server is the reason. */
  trouble(): string | undefined;
  print(message: string): void;
}

/** How long an ending process blocks at most. */
const DRAIN_MILLIS = 2_000;

/** The parts of `process` that are needed. Bun and Deno have them; browsers and edge runtimes do not. */
type Process = Pick<NodeJS.Process, "on" | "once" | "removeListener" | "listenerCount" | "kill" | "pid">;

/** Hooks into the end of the process. Call it once. */
export function watchExits(exits: Exits): void {
  const process = nodeProcess();
  if (!process) return;
  let tried = -1;
  process.on("beforeExit", () => {
    // The event comes again after the flush. Another flush is only of use for spans that are new since then.
    const pending = exits.pending();
    if (!exits.flushOnExit() || pending === 0 || pending === tried) return;
    void exits.flush().then(() => {
      tried = exits.pending();
    });
  });
  const exit = () => {
    let pending = exits.pending();
    if (pending > 0 && exits.flushOnExit() && pending !== tried) pending = exits.drainNow(DRAIN_MILLIS);
    if (pending === 0) return;
    const reason = exits.trouble();
    const spans = pending === 1 ? "1 span was" : `${pending} spans were`;
    exits.print(`the process ended before ${spans} sent: ${reason ?? "call `await flush()` before the process ends"}`);
  };
  process.on("exit", exit);
  onTestsEnd(exit);
}

const handled = new Map<string, () => void>();

/** Makes the handled signals exactly these. Never throws: a signal that cannot be handled is left out. */
export function watchSignals(signals: readonly string[], flush: () => Promise<void>): void {
  const process = nodeProcess();
  if (!process) return;
  for (const [signal, handler] of handled) {
    if (signals.includes(signal)) continue;
    process.removeListener(signal, handler);
    handled.delete(signal);
  }
  for (const signal of signals as NodeJS.Signals[]) {
    if (handled.has(signal)) continue;
    const handler = () => {
      handled.delete(signal);
      void flush().finally(() => {
        // Other listeners decide themselves when the process ends.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    try {
      process.once(signal, handler);
      handled.set(signal, handler);
    } catch {
      // Not a signal of this system.
    }
  }
}

function nodeProcess(): Process | undefined {
  return typeof process === "object" && typeof process.on === "function" && typeof process.kill === "function"
    ? process
    : undefined;
}
