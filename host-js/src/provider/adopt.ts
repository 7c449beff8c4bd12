/**
 * Puts a span processor on a provider of the user's, behind the user's own processors.
 *
 * Purely additive: the user's processors get the same calls, in the same order, as without this package.
 */

import type { TracerProvider } from "@opentelemetry/api";
import { type Mirror, mirrorProvider } from "./opaque.js";

/** Marks the processors of this package, whichever copy of it made them. */
export const MARKER: unique symbol = Symbol.for("openinference-mlflow.processor") as typeof MARKER;

/** `SpanProcessor` of every supported SDK, as far as it is called here. */
export interface Processor {
  onStart(span: object, parentContext: unknown): void;
  onEnd(span: object): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** SDK 2 and 3: tracers hold the multi-processor, so its list is what can change. Private, the same name in all. */
interface Sdk2 {
  _activeSpanProcessor: { _spanProcessors: Processor[] };
}

/** SDK 1: tracers ask the provider for its active processor whenever a span starts. */
interface Sdk1 {
  activeSpanProcessor: Processor;
  getActiveSpanProcessor(): Processor;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
  _registeredSpanProcessors?: Processor[];
}

interface Proxy {
  getDelegate(): object;
  setDelegate?(delegate: object): void;
}

/** Providers wrap one another. Phoenix, for instance, registers the proxy of an earlier registration. */
const MAX_PROXIES = 16;

/** Finds the provider behind proxies and attaches a processor to it, once. */
export class Adopter {
  #adopted = new WeakSet<object>();
  #watched = new WeakSet<object>();

  constructor(
    private readonly processor: Processor,
    private readonly mirror: Mirror,
  ) {}

  /** Never attaches to this provider. */
  ignore(provider: object): void {
    this.#adopted.add(provider);
  }

  /** Attaches to the provider behind `candidate`, now or as soon as there is one. Each provider once. */
  adopt(candidate: unknown): void {
    let provider = candidate;
    for (let depth = 0; depth < MAX_PROXIES && isProxy(provider); depth++) {
      this.#watch(provider);
      const delegate = provider.getDelegate();
      if (delegate === noopDelegate(provider)) return;
      provider = delegate;
    }
    if (!isObject(provider) || isProxy(provider) || this.#adopted.has(provider)) return;
    this.#adopted.add(provider);
    this.#attach(provider);
  }

  #attach(provider: object): void {
    if (isSdk2(provider)) {
      const multi = provider._activeSpanProcessor;
      // A new list: SDK 2.12 and later keep the caller's own array.
      if (!multi._spanProcessors.some(isMarked)) multi._spanProcessors = [...multi._spanProcessors, this.processor];
    } else if (isSdk1(provider)) {
      if (!provider._registeredSpanProcessors?.some(isMarked)) teeSdk1(provider, this.processor);
    } else if (isProvider(provider)) {
      const sdk = sdkBehindTracer(provider);
      if (sdk) this.adopt(sdk);
      else mirrorProvider(provider, this.mirror);
    }
  }

  /** A proxy gets its delegate after it is registered, and may get another. */
  #watch(proxy: Proxy): void {
    if (this.#watched.has(proxy) || typeof proxy.setDelegate !== "function") return;
    this.#watched.add(proxy);
    const setDelegate = proxy.setDelegate;
    proxy.setDelegate = (delegate: object) => {
      setDelegate.call(proxy, delegate);
      this.adopt(delegate);
    };
  }
}

/**
 * SDK 1 replaces its active processor when the user adds one, and its own `addSpanProcessor` would first shut down the
 * exporter that the environment asked for. So each active processor is extended in place, spans that have already
 * started included, and the provider's own bookkeeping is left alone.
 */
function teeSdk1(provider: Sdk1, processor: Processor): void {
  let active = provider.activeSpanProcessor;
  tee(active, processor);
  Object.defineProperty(provider, "activeSpanProcessor", {
    configurable: true,
    enumerable: true,
    get: () => active,
    set(next: Processor) {
      active = next;
      tee(active, processor);
    },
  });
  also(provider, "forceFlush", () => processor.forceFlush());
  also(provider, "shutdown", () => processor.shutdown());
}

function tee(target: Processor, processor: Processor): void {
  const { onStart, onEnd } = target;
  target.onStart = (span, context) => {
    try {
      onStart.call(target, span, context);
    } finally {
      processor.onStart(span, context);
    }
  };
  target.onEnd = (span) => {
    try {
      onEnd.call(target, span);
    } finally {
      processor.onEnd(span);
    }
  };
}

/** Runs `more` beside a method of the provider. The caller gets the method's own result or rejection. */
function also(provider: Sdk1, method: "forceFlush" | "shutdown", more: () => Promise<void>): void {
  const original = provider[method];
  provider[method] = async () => {
    const ours = more();
    try {
      await original.call(provider);
    } finally {
      await ours;
    }
  };
}

/** What a proxy of the same copy of the API delegates to while it has no provider. */
function noopDelegate(proxy: Proxy): object | undefined {
  // Only the API's own class is constructed here.
  if (!("setDelegate" in proxy && "getDelegateTracer" in proxy)) return undefined;
  try {
    const fresh = new (proxy.constructor as new () => Proxy)();
    return isProxy(fresh) ? fresh.getDelegate() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The SDK's provider behind an object of the user's: tracers of SDK 1 know their provider, those of SDK 2 and 3 their
 * processor. Better than a mirror, because it also serves tracers and spans that exist already. Tracers of other
 * providers (Datadog's) know their provider too, so it counts only when it is an SDK's.
 */
function sdkBehindTracer(provider: TracerProvider): object | undefined {
  const tracer = provider.getTracer("openinference-mlflow") as { _tracerProvider?: object; _spanProcessor?: Processor };
  const behind = tracer?._tracerProvider;
  if (isObject(behind) && behind !== provider && (isSdk1(behind) || isSdk2(behind))) return behind;
  const facade = { _activeSpanProcessor: tracer?._spanProcessor };
  return isSdk2(facade) ? facade : undefined;
}

function isProvider(value: object): value is TracerProvider {
  return typeof (value as Partial<TracerProvider>).getTracer === "function";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isProxy(value: unknown): value is Proxy {
  return isObject(value) && typeof (value as Proxy).getDelegate === "function";
}

function isSdk2(provider: object): provider is Sdk2 {
  return Array.isArray((provider as Partial<Sdk2>)._activeSpanProcessor?._spanProcessors);
}

function isSdk1(provider: object): provider is Sdk1 {
  const candidate = provider as Partial<Sdk1>;
  return typeof candidate.getActiveSpanProcessor === "function" && isObject(candidate.activeSpanProcessor);
}

function isMarked(processor: object): boolean {
  return MARKER in processor;
}
