/** Vercel freezes a function after its response. `waitUntil` of the request keeps it running until a promise settles. */

import { soon } from "./time.js";

const REQUEST_CONTEXT = Symbol.for("@vercel/request-context");

interface RequestContext {
  waitUntil?(promise: Promise<unknown>): void;
}

/** Requests that wait already, and whether more spans have come since their flush began. */
const waiting = new WeakMap<object, { more: boolean }>();

/** Keeps the current request alive until its spans are sent. Does nothing on other platforms. */
export function keepAliveUntil(flush: () => Promise<void>): void {
  const store = (globalThis as { [REQUEST_CONTEXT]?: { get?(): RequestContext | undefined } })[REQUEST_CONTEXT];
  const request = store?.get?.();
  if (!request?.waitUntil) return;
  const known = waiting.get(request);
  if (known) {
    known.more = true;
    return;
  }
  const wait = { more: true };
  waiting.set(request, wait);
  request.waitUntil(flushAll(wait, flush).finally(() => waiting.delete(request)));
}

async function flushAll(wait: { more: boolean }, flush: () => Promise<void>): Promise<void> {
  while (wait.more) {
    await new Promise<void>((resolve) => soon(resolve));
    wait.more = false;
    await flush();
  }
}
