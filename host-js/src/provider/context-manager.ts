/**
 * A context manager for processes that have none: without it no span would know its parent.
 *
 * It serves only while neither a context manager nor a provider is registered, so that a user's provider sees the same
 * contexts as without this package. It is registered only when the user asks for it (`registerProvider`).
 */

import type { Context, ContextManager } from "@opentelemetry/api";
import { AsyncLocalStorage } from "../platform/node.js";
import type { Storage } from "../platform/storage.js";
import type { Api, ContextInternals } from "./api-copies.js";
import { registered } from "./registry.js";

/** The key under which SDKs and instrumentations suppress tracing. */
export const SUPPRESS_TRACING = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

type Listener = (...args: unknown[]) => unknown;

/** The parts of Node's `EventEmitter` that matter for `bind`. */
type Emitter = Record<string, unknown> & { on: Listener; removeListener: Listener };

const ADDERS = ["on", "addListener", "once", "prependListener", "prependOnceListener"];

class StorageContextManager implements ContextManager {
  constructor(
    private readonly storage: Storage<Context>,
    private readonly root: Context,
  ) {}

  get isInside(): boolean {
    return this.storage.getStore() !== undefined;
  }

  active(): Context {
    return this.storage.getStore() ?? this.root;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.storage.run(context, () => Reflect.apply(fn, thisArg, args));
  }

  /** API 1.10. */
  attach(context: Context): { dispose(): void } {
    const before = this.storage.getStore();
    this.storage.enterWith?.(context);
    return { dispose: () => this.storage.enterWith?.(before as Context) };
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target === "function") return this.#bindFunction(context, target as unknown as Listener) as T;
    if (isEmitter(target)) this.#bindEmitter(context, target);
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    // `context.disable()` is meant for a manager of the user's. There is none, so later spans keep their parents.
    return this;
  }

  #bindFunction(context: Context, fn: Listener): Listener {
    const manager = this;
    const bound = function (this: unknown, ...args: unknown[]) {
      return manager.with(context, () => fn.apply(this, args));
    };
    Object.defineProperty(bound, "length", { configurable: true, value: fn.length });
    return bound;
  }

  #bindEmitter(context: Context, emitter: Emitter): void {
    const bound = new WeakMap<Listener, Listener>();
    for (const name of ADDERS) {
      const add = emitter[name];
      if (typeof add !== "function") continue;
      emitter[name] = (event: unknown, listener: Listener) => {
        const wrapped = bound.get(listener) ?? this.#bindFunction(context, listener);
        bound.set(listener, wrapped);
        return Reflect.apply(add, emitter, [event, wrapped]);
      };
    }
    for (const name of ["removeListener", "off"]) {
      const remove = emitter[name];
      if (typeof remove !== "function") continue;
      emitter[name] = (event: unknown, listener: Listener) =>
        Reflect.apply(remove, emitter, [event, bound.get(listener) ?? listener]);
    }
  }
}

let manager: StorageContextManager | undefined;
const installed = new WeakSet<object>();

/** The context manager of this package; `undefined` on platforms that cannot carry a context. */
export function contextManager(api: Api): ContextManager | undefined {
  if (AsyncLocalStorage) manager ??= new StorageContextManager(new AsyncLocalStorage<Context>(), api.ROOT_CONTEXT);
  return manager;
}

/** Lets this copy of the API use the context manager while nothing is registered. */
export function installContextManager(api: Api, enabled: () => boolean): void {
  const context = api.context as unknown as ContextInternals;
  const original = context._getContextManager;
  if (!original || installed.has(context) || !contextManager(api)) return;
  installed.add(context);
  const ours = manager as StorageContextManager;
  context._getContextManager = () => {
    if (registered("context")) return original.call(context);
    // What began in our context also ends in it.
    return ours.isInside || (enabled() && !registered("trace")) ? ours : original.call(context);
  };
}

/** Runs `fn` in a context in which instrumentations make no spans. */
export function suppressTracing<T>(api: Api, fn: () => T): T {
  const quiet = api.context.active().setValue(SUPPRESS_TRACING, true);
  if (registered("context") || !manager) return api.context.with(quiet, fn);
  return manager.with(quiet, fn);
}

function isEmitter(target: unknown): target is Emitter {
  const candidate = target as Partial<Emitter> | null;
  return typeof candidate === "object" && typeof candidate?.on === "function";
}
