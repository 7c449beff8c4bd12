/**
 * HTTP requests of the core, performed with `fetch`, or with what certificates of the user's own need (`https.ts`).
 *
 * Resolves always: what is no response is a text. Instrumentation of `fetch` sees nothing of it, because the request
 * runs in a context in which tracing is suppressed; otherwise each export would make spans to export.
 */

import type { Request } from "../generated/translator.js";
import type { TlsSettings } from "../settings/tls.js";
import type { Answer } from "../translator/driver.js";
import { httpsSender } from "./https.js";

/** Header names and values by turns. */
export type HttpResponse = Exclude<Answer, { failure: string }>;

/** Runs a function in a context in which nothing is traced. */
export type Quietly = <T>(fn: () => T) => T;

/** Longer answers are cut: the core reads ids and error messages out of them. */
export const MAX_BODY = 1024 * 1024;

/** Sends one request, and rejects when no response comes. */
export type Send = (
  url: string,
  request: { method: string; headers: Record<string, string>; body: Uint8Array | undefined; signal: AbortSignal },
) => Promise<HttpResponse>;

/** Where requests go. */
export interface Server {
  trackingUri: string;
  /** Credentials and the user's own. */
  headers: Record<string, string>;
  tls: TlsSettings | undefined;
}

/** Connections are kept for the next request. */
const senders = new WeakMap<TlsSettings, Send>();

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

/** Next.js caches what goes through its `fetch`, and keeps the real one beside it. */
function plainFetch(): typeof fetch {
  return (globalThis.fetch as { _nextOriginalFetch?: typeof fetch })._nextOriginalFetch ?? globalThis.fetch;
}

/** What went wrong, without anything of the request. */
function describe(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return "the request failed";
  const cause = error.cause as { name?: string; code?: string; message?: string } | undefined;
  if (error.name === "TimeoutError" || cause?.name === "TimeoutError") return `no answer within ${timeout} ms`;
  return cause?.code ?? cause?.message ?? (error as { code?: string }).code ?? error.message;
}
