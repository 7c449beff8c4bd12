/**
 * HTTP requests of the core, performed with `fetch`.
 *
 * Resolves always: what is no response is a text. Instrumentation of `fetch` sees nothing of it, because the request
 * runs in a context in which tracing is suppressed; otherwise each export would make spans to export.
 */

import type { Request } from "../generated/translator.js";

export interface HttpResponse {
  status: number;
  /** Names and values by turns. */
  headers: string[];
  body: Uint8Array;
}

/** Runs a function in a context in which nothing is traced. */
export type Quietly = <T>(fn: () => T) => T;

export type Answer = { response: HttpResponse } | { failure: string };

/** Longer answers are cut: the core reads ids and error messages out of them. */
const MAX_BODY = 1024 * 1024;

export async function perform(
  request: Request,
  trackingUri: string,
  headers: Record<string, string>,
  quietly: Quietly,
): Promise<Answer> {
  try {
    const response = await quietly(() =>
      plainFetch()(`${trackingUri}/${request.path}`, {
        method: request.method,
        headers: { ...Object.fromEntries(request.headers), ...headers },
        ...(request.method === "GET" ? {} : { body: request.body as Uint8Array<ArrayBuffer> }),
        signal: AbortSignal.timeout(request.timeout),
        redirect: "follow",
      }),
    );
    const body = new Uint8Array(await response.arrayBuffer());
    return {
      response: { status: response.status, headers: [...response.headers].flat(), body: body.subarray(0, MAX_BODY) },
    };
  } catch (error) {
    return { failure: describe(error, request.timeout) };
  }
}

/** Next.js caches what goes through its `fetch`, and keeps the real one beside it. */
function plainFetch(): typeof fetch {
  return (globalThis.fetch as { _nextOriginalFetch?: typeof fetch })._nextOriginalFetch ?? globalThis.fetch;
}

/** What went wrong, without anything of the request. */
function describe(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return "the request failed";
  if (error.name === "TimeoutError") return `no answer within ${timeout} ms`;
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
