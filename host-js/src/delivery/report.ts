/**
 * What a person is told: on the console when something needs doing, on OpenTelemetry's diag logger otherwise.
 *
 * A message is printed once for its topic, until the topic is cleared. Nothing here ever throws.
 */

import type { DiagAPI } from "@opentelemetry/api";

const PREFIX = "openinference-mlflow:";

export class Report {
  silent = false;
  #said = new Set<string>();

  constructor(private readonly diag: () => DiagAPI | undefined) {}

  /** Once for the topic. */
  warn(topic: string, message: string): void {
    if (this.#said.has(topic)) return;
    this.#said.add(topic);
    this.#print(message);
  }

  /** The condition is over: the next one is news again. */
  clear(topic: string): void {
    this.#said.delete(topic);
  }

  /** Every time: for what is said at most once a process. */
  final(message: string): void {
    this.#print(message);
  }

  detail(message: string): void {
    try {
      this.diag()?.debug(`${PREFIX} ${message}`);
    } catch {
      // A logger that throws must not reach the application.
    }
  }

  #print(message: string): void {
    if (this.silent) return;
    try {
      console.warn(`${PREFIX} ${message}`);
    } catch {
      // As above.
    }
  }
}
