/** The shape of HTTP requests and responses inside this package. */

/** A response, header names and values alternating. */
export interface HttpResponse {
  status: number;
  headers: string[];
  body: Uint8Array;
}

/** Longer bodies are cut: the core only reads ids and error messages. */
export const MAX_BODY = 1024 * 1024;

/** Sends one request. Rejects when no response comes. */
export type Send = (
  url: string,
  request: { method: string; headers: Record<string, string>; body: Uint8Array | undefined; signal: AbortSignal },
) => Promise<HttpResponse>;
