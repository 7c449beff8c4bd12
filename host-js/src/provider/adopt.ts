/**
 * Puts a span processor on a provider that somebody else made, behind their own processors.
 *
 * Purely additive: the user's processors get what they would get without it, in the order in which they would.
 */

import type { TracerProvider } from "@opentelemetry/api";
import { type Mirror, mirrorProvider } from "./opaque.js";
import { OURS } from "./ours.js";

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

/** Providers are wrapped in one another: Phoenix registers the proxy of an earlier registration, for one. */
const MAX_PROXIES = 16;

export class Adopter {
  #adopted = new WeakSet<object>();
  #watched = new WeakSet<object>();

  constructor(
    private readonly processor: Processor,
    private readonly mirror: Mirror,
  ) {}

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
      if (!multi._spanProcessors.some(isOurs)) multi._spanProcessors = [...multi._spanProcessors, this.processor];
    } else if (isSdk1(provider)) {
      if (!provider._registeredSpanProcessors?.some(isOurs)) teeSdk1(provider, this.processor);
    } else if (isProvider(provider)) {
      const behind = behindTracer(provider);
      if (behind) this.adopt(behind);
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

/** Runs `more` beside a method of the provider; the method's own result or rejection is what its caller gets. */
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
  // Nobody else's class is constructed here.
  if (!("setDelegate" in proxy && "getDelegateTracer" in proxy)) return undefined;
  try {
    const fresh = new (proxy.constructor as new () => Proxy)();
    return isProxy(fresh) ? fresh.getDelegate() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The SDK's provider behind somebody's own class: tracers of SDK 1 know their provider, those of SDK 2 and 3 their
 * processor. Better than a mirror, because it also serves the tracers and spans that are there already.
 */
function behindTracer(provider: TracerProvider): object | undefined {
  const tracer = provider.getTracer("openinference-mlflow") as { _tracerProvider?: object; _spanProcessor?: Processor };
  if (isObject(tracer?._tracerProvider)) return tracer._tracerProvider;
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

function isOurs(processor: object): boolean {
  return OURS in processor;
}
