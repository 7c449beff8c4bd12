/**
 * Watches the global slot in which every copy of `@opentelemetry/api` registers its provider, without occupying it.
 *
 * Accessors on the slot's *prototype* see the first assignment, put an ordinary property in its place, and see the next
 * one after `delete`, which is how the API unregisters. The API sees a slot that looks and behaves as usual.
 */

/** `GLOBAL_OPENTELEMETRY_API_KEY` of API 1.x. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

type Registry = Record<string, unknown>;
type Global = { [REGISTRY]?: Registry };

const watched = new WeakSet<Registry>();

/** What the watcher calls. */
export interface RegistryWatcher {
  /** A provider is registered for `trace`, now or later. */
  onTrace(provider: unknown): void;
  /** A copy of the API looks for a provider and finds none, as it does before it hands out a tracer. */
  onMiss(): void;
}

/** Starts to watch. Call it once. */
export function watchRegistry(watcher: RegistryWatcher): void {
  const present = (globalThis as Global)[REGISTRY];
  if (present) {
    watch(present, watcher);
    return;
  }
  // No copy has registered anything. The first copy that does decides the registry's version, so it must make it.
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

/** What is registered now, whichever copy did it. Never calls `onMiss`. */
export function registered(type: "trace" | "context"): unknown {
  const registry = Object.getOwnPropertyDescriptor(globalThis, REGISTRY)?.value as Registry | undefined;
  return registry && Object.getOwnPropertyDescriptor(registry, type)?.value;
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
  const present = registered("trace");
  if (present) watcher.onTrace(present);
}

function plain(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true, enumerable: true };
}
