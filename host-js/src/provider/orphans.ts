/**
 * Orphans: tracers that a copy of the API hands out while no provider is registered.
 *
 * The API keeps the first delegate that such a tracer finds. Here it finds a switch, which follows the user's provider
 * as soon as there is one, exactly as the API would, and uses our own tracer until then. There never is one after
 * `trace.disable()`, or when another copy of the API was registered.
 */

import type { Context, Span, SpanOptions, Tracer, TracerOptions } from "@opentelemetry/api";
import type { Scope } from "../span/readable.js";
import type { Api, TraceInternals } from "./api-copies.js";

type GetDelegateTracer = (name: string, version?: string, options?: TracerOptions) => Tracer | undefined;

interface Proxy {
  getDelegateTracer: GetDelegateTracer;
}

/** The tracers that an orphan may use. */
export interface OrphanParts {
  ownTracer: (scope: Scope) => Tracer;
  /** The registered provider's tracer, if the user wants orphans there (`adoptOrphans`). */
  adopted: (scope: Scope) => Tracer | undefined;
}

const followed = new WeakSet<object>();

/** Serves the tracers of this copy's proxy, and of the proxies that later replace it. */
export function followOrphans(api: Api, parts: OrphanParts): void {
  const trace = api.trace as unknown as TraceInternals;
  const follow = () => {
    if (trace._proxyTracerProvider) followProxy(trace._proxyTracerProvider as unknown as Proxy, parts);
  };
  follow();
  if (followed.has(trace)) return;
  followed.add(trace);
  const disable = trace.disable;
  trace.disable = () => {
    disable.call(trace);
    follow();
  };
}

function followProxy(proxy: Proxy, parts: OrphanParts): void {
  if (followed.has(proxy)) return;
  followed.add(proxy);
  const getDelegateTracer = proxy.getDelegateTracer;
  proxy.getDelegateTracer = (name, version, options) =>
    getDelegateTracer.call(proxy, name, version, options) ??
    new SwitchTracer(
      () => getDelegateTracer.call(proxy, name, version, options),
      { name, version, schemaUrl: options?.schemaUrl },
      parts,
    );
}

class SwitchTracer implements Tracer {
  #users: Tracer | undefined;
  #own: Tracer | undefined;

  constructor(
    private readonly delegate: () => Tracer | undefined,
    private readonly scope: Scope,
    private readonly parts: OrphanParts,
  ) {}

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    return this.#tracer().startSpan(name, options, context);
  }

  startActiveSpan(...args: unknown[]): never {
    const tracer = this.#tracer();
    return Reflect.apply(tracer.startActiveSpan, tracer, args) as never;
  }

  #tracer(): Tracer {
    this.#users ??= this.delegate();
    if (this.#users) return this.#users;
    const adopted = this.parts.adopted(this.scope);
    if (adopted) return adopted;
    this.#own ??= this.parts.ownTracer(this.scope);
    return this.#own;
  }
}
