/** The part of `AsyncLocalStorage` that this package uses. */
export interface Storage<T> {
  getStore(): T | undefined;
  run<R>(store: T, fn: () => R): R;
  enterWith?(store: T): void;
}

/** The class `AsyncLocalStorage`. */
export type StorageClass = new <T>() => Storage<T>;

/**
 * Carries a value through synchronous calls only. For platforms without `AsyncLocalStorage`: a span that starts after an
 * `await` has no parent there, but never a wrong one.
 */
export class SynchronousStorage<T> implements Storage<T> {
  #store: T | undefined;

  getStore(): T | undefined {
    return this.#store;
  }

  run<R>(store: T, fn: () => R): R {
    const before = this.#store;
    this.#store = store;
    try {
      return fn();
    } finally {
      this.#store = before;
    }
  }
}
