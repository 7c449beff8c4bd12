/**
 * Options as a JavaScript application may give them: of any type. A bad value is reported with its option's name and
 * left out, so that the environment or the default decides.
 */

import { type Complain, shorten } from "./environment.js";
import type { AutologOptions } from "./options.js";

/** Returns a usable value, or `undefined` for a bad one. */
interface Check {
  expected: string;
  read(value: unknown): unknown;
  /** Never shown in messages. */
  secret?: true;
}

const flag: Check = {
  expected: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
};
const text: Check = {
  expected: "a string",
  read: (value) => (typeof value === "string" ? value : undefined),
};
const secret: Check = { ...text, secret: true };
const id: Check = {
  expected: 'a number as MLflow numbers experiments, such as "1"',
  read(value) {
    const digits = typeof value === "number" || typeof value === "bigint" ? String(value) : value;
    return typeof digits === "string" && (/^\d+$/.test(digits.trim()) || digits.trim() === "") ? digits : undefined;
  },
};
const address: Check = {
  expected: "an address, such as http://127.0.0.1:5000",
  read: (value) => (value instanceof URL ? value.href : text.read(value)),
  secret: true,
};
const count: Check = {
  expected: "a whole number above 0",
  read: (value) => (Number.isSafeInteger(value) && (value as number) > 0 ? value : undefined),
};
const millis: Check = {
  expected: "milliseconds, as a number above 0",
  read: (value) => (typeof value === "number" && value > 0 ? value : undefined),
};
const hook: Check = {
  expected: "a function",
  read: (value) => (typeof value === "function" ? value : undefined),
};
const headers: Check = {
  expected: "an object of strings",
  read: (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined),
  secret: true,
};
const signals: Check = {
  expected: 'true, false, or a list such as ["SIGTERM", "SIGINT"]',
  read: (value) => (typeof value === "boolean" || isSignals(value) ? value : undefined),
};

const CHECKS: { [Name in keyof Required<AutologOptions>]: Check } = {
  disable: flag,
  batch: flag,
  worker: flag,
  silent: flag,
  logTraces: flag,
  trackingUri: address,
  experiment: text,
  experimentId: id,
  runId: text,
  workspace: text,
  traceLocation: text,
  username: text,
  password: secret,
  token: secret,
  headers,
  filter: hook,
  openInferenceOnly: flag,
  attachments: flag,
  attachmentMaxBytes: count,
  mask: hook,
  adoptOrphans: flag,
  registerProvider: flag,
  flushOnExit: flag,
  flushOnSignals: signals,
  flushTimeoutMillis: millis,
  maxQueueBytes: count,
  maxQueueSpans: count,
};

/** The usable options. An option that is given as `undefined` stays, because it takes an earlier value back. */
export function checkOptions(options: unknown, complain: Complain): AutologOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const advice = typeof options === "string" ? ": write autolog({ trackingUri: … })" : "";
    complain(`the options are ignored: expected an object, got ${describe(options, true)}${advice}`);
    return {};
  }
  const checked: Record<string, unknown> = {};
  for (const name of Object.keys(options)) {
    const check = (CHECKS as Record<string, Check | undefined>)[name];
    if (!check) {
      const near = Object.keys(CHECKS).find((known) => known.toLowerCase() === name.toLowerCase());
      complain(`the option ${shorten(name)} is not known${near ? `: write ${near}` : ""}`);
      continue;
    }
    try {
      const given = (options as Record<string, unknown>)[name];
      checked[name] = given === undefined ? undefined : check.read(given);
      if (given === undefined || checked[name] !== undefined) continue;
      delete checked[name];
      complain(`the option ${name} is ignored: expected ${check.expected}, got ${describe(given, check.secret)}`);
    } catch {
      complain(`the option ${name} is ignored: reading it threw an exception`);
    }
  }
  return checked;
}

/** The usable headers, names in lower case. */
export function checkHeaders(given: Record<string, unknown>, complain: Complain): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    // What `fetch` accepts: RFC 9110's token, and no control characters.
    const isUsable = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(String(value));
    if (isUsable) checked[name.toLowerCase()] = String(value);
    else complain(`the header ${JSON.stringify(shorten(name))} is ignored: its name or value is not valid in HTTP`);
  }
  return checked;
}

/** A value for a message: what it is, and the value itself unless it may be a secret. */
function describe(value: unknown, isSecret = false): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object (${value.constructor?.name ?? "Object"})`;
  if (typeof value === "function") return "a function";
  if (isSecret) return `a ${typeof value}`;
  return typeof value === "string" ? JSON.stringify(shorten(value)) : `${String(value)} (a ${typeof value})`;
}

function isSignals(value: unknown): boolean {
  // These two cannot be handled.
  const canHandle = (name: unknown) => /^SIG[A-Z0-9]+$/.test(String(name)) && name !== "SIGKILL" && name !== "SIGSTOP";
  return Array.isArray(value) && value.every(canHandle);
}
