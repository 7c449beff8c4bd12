/**
 * Watches the global slot in which every copy of `@opentelemetry/api` registers its provider, without occupying it.
 *
 * Accessors on the slot's *prototype* see the first assignment, put an ordinary property in its place, and see the next
 * one after `delete`, which is how the API unregisters. To the API the slot looks and behaves as if nobody watched.
 */

/** `GLOBAL_OPENTELEMETRY_API_KEY` of API 1.x. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

type Registry = Record<string, unknown>;
type Global = { [REGISTRY]?: Registry };

const watched = new WeakSet<Registry>();

export interface RegistryWatcher {
  /** With whatever is, and whatever comes to be, registered for `trace`. */
  onTrace(provider: unknown): void;
  /** Somebody looks for what is not registered, as each copy of the API does before it hands out a tracer. */
  onMiss(): void;
}

export function watchRegistry(watcher: RegistryWatcher): void {
  const present = (globalThis as Global)[REGISTRY];
  if (present) {
    watch(present, watcher);
    return;
  }
  // No copy has registered anything. The first one to do so decides the registry's version: it must make it itself.
  Object.defineProperty(globalThis, REGISTRY, {
    configurable: true,
    enumerable: false,
    get: () => watcher.onMiss(),
    set(registry: Registry) {
      Object.defineProperty(globalThis, REGISTRY, plain(registry));
      if (registry) watch(registry, watcher);
    },
  });
}

/** What is registered now, whichever copy did it. */
export function registered(type: "trace" | "context"): unknown {
  return (globalThis as Global)[REGISTRY]?.[type];
}

function watch(registry: Registry, watcher: RegistryWatcher): void {
  if (watched.has(registry)) return;
  watched.add(registry);
  const prototype = Object.create(Object.getPrototypeOf(registry), {
    trace: {
      configurable: true,
      get: () => watcher.onMiss(),
      set(this: Registry, provider: unknown) {
        Object.defineProperty(this, "trace", plain(provider));
        watcher.onTrace(provider);
      },
    },
  });
  Object.setPrototypeOf(registry, prototype);
  if (registry.trace) watcher.onTrace(registry.trace);
}

function plain(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true, enumerable: true };
}
