/**
 * The end of the process: what is left is sent when the runtime allows it, and counted aloud when it does not.
 *
 * `beforeExit` allows it (the process ended by itself), a signal does if asked to, `process.exit` and an uncaught
 * exception do not.
 */

export interface Exits {
  flushOnExit(): boolean;
  idle(): boolean;
  flush(): Promise<void>;
  /** How many spans are lost if the process ends now. */
  pending(): number;
  say(message: string): void;
}

/** The parts of `process` that are needed here; Bun and Deno have them, browsers and edge runtimes do not. */
type Process = Pick<NodeJS.Process, "on" | "once" | "removeListener" | "listenerCount" | "kill" | "pid">;

export function watchExits(exits: Exits): void {
  const process = nodeProcess();
  if (!process) return;
  let tried = -1;
  process.on("beforeExit", () => {
    // Fires again when the flush is over; only what is new since then is worth another.
    const pending = exits.pending();
    if (!exits.flushOnExit() || exits.idle() || pending === tried) return;
    void exits.flush().then(() => {
      tried = exits.pending();
    });
  });
  process.on("exit", () => {
    const pending = exits.pending();
    if (pending > 0) exits.say(`the process ended before ${pending} spans were sent; await flush() before it does`);
  });
}

const handled = new Map<string, () => void>();

/** Makes the handled signals exactly these. */
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
        // Others who listen decide themselves when the process ends.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.once(signal, handler);
    handled.set(signal, handler);
  }
}

function nodeProcess(): Process | undefined {
  return typeof process === "object" && typeof process.on === "function" && typeof process.kill === "function"
    ? process
    : undefined;
}
