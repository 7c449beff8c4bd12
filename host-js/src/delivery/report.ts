/**
 * Messages for people: on standard error when they concern the user, on OpenTelemetry's diag logger otherwise.
 *
 * A message is printed once for its topic. Nothing here ever throws.
 */

import type { DiagAPI } from "@opentelemetry/api";
import { isJest } from "./test-runners.js";

const PREFIX = "openinference-mlflow:";

/** Prints the messages of one pipeline. */
export class Report {
  silent = false;
  #printed = new Set<string>();

  constructor(private readonly diag: () => DiagAPI | undefined) {}

  /** Prints a warning, once for the topic. */
  warn(topic: string, message: string): void {
    if (this.#printed.has(topic)) return;
    this.#printed.add(topic);
    this.#print(message);
  }

  /** Prints a success once for each topic. Standard output belongs to the application. */
  info(topic: string, message: string): void {
    this.warn(topic, message);
  }

  /** Prints a message that concerns the end of the process, each time. */
  final(message: string): void {
    this.#print(message);
  }

  /** Passes details to OpenTelemetry's diag logger. */
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
      // Jest replaces the console, and fails on lines that come after the last test.
      if (isJest()) process.stderr.write(`${PREFIX} ${message}\n`);
      else console.warn(`${PREFIX} ${message}`);
    } catch {
      // As above.
    }
  }
}
