/**
 * Performs the core's HTTP requests: with `fetch`, or over `node:https` when the user names certificates (`https.ts`).
 *
 * The caller suppresses tracing, because instrumentations of `fetch` would make spans of each export.
 */

import type { Request } from "../generated/translator.js";
import { httpsSender } from "../platform/node.js";
import type { TlsSettings } from "../settings/server.js";
import type { Answer } from "../translator/driver.js";
import { MAX_BODY, type Send } from "./http.js";

/** Runs a function in a context in which nothing is traced. */
export type SuppressTracing = <T>(fn: () => T) => T;

/** The server that requests go to. */
export interface Server {
  trackingUri: string;
  /** Credentials and the user's headers. */
  headers: Record<string, string>;
  tls: TlsSettings | undefined;
}

/** Connections are kept for the next request. */
const senders = new WeakMap<TlsSettings, Send>();

/** Performs one request. Never rejects: without a response the answer holds the reason. */
export async function perform(request: Request, { trackingUri, headers, tls }: Server): Promise<Answer> {
  try {
    return await sender(tls)(`${trackingUri}/${request.path}`, {
      method: request.method,
      headers: { ...Object.fromEntries(request.headers), ...headers },
      body: request.method === "GET" ? undefined : request.body,
      signal: AbortSignal.timeout(request.timeout),
    });
  } catch (error) {
    return { failure: describe(error, request.timeout) };
  }
}

function sender(tls: TlsSettings | undefined): Send {
  if (!tls) return sendByFetch;
  const send = senders.get(tls) ?? httpsSender(tls) ?? sendByFetch;
  senders.set(tls, send);
  return send;
}

const sendByFetch: Send = async (url, { method, headers, body, signal }) => {
  const init = { method, headers, signal, redirect: "follow" as const };
  const response = await plainFetch()(url, body ? { ...init, body: body as Uint8Array<ArrayBuffer> } : init);
  const answer = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    headers: [...response.headers].flat(),
    body: answer.subarray(0, MAX_BODY),
  };
};

/** Next.js caches requests that go through its `fetch`, and keeps the original beside it. */
function plainFetch(): typeof fetch {
  return (globalThis.fetch as { _nextOriginalFetch?: typeof fetch })._nextOriginalFetch ?? globalThis.fetch;
}

/** The reason, without any part of the request. */
function describe(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return "the request failed";
  const cause = error.cause as { name?: string; code?: string; message?: string } | undefined;
  if (error.name === "TimeoutError" || cause?.name === "TimeoutError") return `no answer within ${timeout} ms`;
  return cause?.code ?? cause?.message ?? (error as { code?: string }).code ?? error.message;
}
