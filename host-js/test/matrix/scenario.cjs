/**
 * One application start-up: the steps in a given order, then more spans, then the end. Prints what its own span
 * processor was told, as JSON.
 *
 * Steps: `A` autolog, `I` an instrumentation takes its tracer, `P` the provider is registered, `S` the first span (with
 * a child) starts and ends, `(` and `)` an outer span starts and ends.
 */

const { randomBytes } = require("node:crypto");

const providers = {
  async none() {},

  async node(load, processor) {
    const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
    const provider = new NodeTracerProvider({ spanProcessors: [processor] });
    provider.register();
    return provider;
  },

  /** SDK 1: the processor is added after registration. */
  async nodeAdd(load, processor) {
    const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
    const provider = new NodeTracerProvider();
    provider.register();
    provider.addSpanProcessor(processor);
    return provider;
  },

  /** A provider without a context manager. */
  async plain(load, processor) {
    const { trace } = await load("@opentelemetry/api");
    const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
    const provider = new NodeTracerProvider({ spanProcessors: [processor] });
    trace.setGlobalTracerProvider(provider);
    return provider;
  },

  async sdk3(load, processor) {
    const { trace } = await load("@opentelemetry/api");
    const { TracerProvider } = await load("@opentelemetry/sdk-trace");
    const provider = new TracerProvider({ spanProcessors: [processor] });
    await registerContextManager(load);
    trace.setGlobalTracerProvider(provider);
    return provider;
  },

  async nodeSdk(load, processor) {
    const { NodeSDK } = await load("@opentelemetry/sdk-node");
    const sdk = new NodeSDK({ spanProcessors: [processor], instrumentations: [], autoDetectResources: false });
    sdk.start();
    return sdk;
  },

  async phoenix(load, processor) {
    const { register } = await load("@arizeai/phoenix-otel");
    return register({ projectName: "shop", spanProcessors: [processor] });
  },

  async vercel(load, processor) {
    const { registerOTel } = await load("@vercel/otel");
    registerOTel({ serviceName: "shop", spanProcessors: [processor], instrumentations: [] });
  },

  /** An SDK behind somebody's own object. */
  async facade(load, processor) {
    const { trace } = await load("@opentelemetry/api");
    const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
    await registerContextManager(load);
    const inner = new NodeTracerProvider({ spanProcessors: [processor] });
    trace.setGlobalTracerProvider({ getTracer: (...args) => inner.getTracer(...args) });
  },

  /** No SDK at all: only the API's words are known. */
  async foreign(load, processor) {
    const { trace, context } = await load("@opentelemetry/api");
    await registerContextManager(load);
    trace.setGlobalTracerProvider(new ForeignProvider(trace, context, processor));
  },
};

async function registerContextManager(load) {
  const { context } = await load("@opentelemetry/api");
  const { AsyncLocalStorageContextManager } = await load("@opentelemetry/context-async-hooks");
  const manager = new AsyncLocalStorageContextManager();
  manager.enable?.();
  context.setGlobalContextManager(manager);
}

class ForeignProvider {
  #tracers = new Map();

  constructor(trace, context, processor) {
    this.make = () => new ForeignTracer(trace, context, processor);
  }

  getTracer(name) {
    if (!this.#tracers.has(name)) this.#tracers.set(name, this.make());
    return this.#tracers.get(name);
  }
}

class ForeignTracer {
  constructor(trace, context, processor) {
    Object.assign(this, { trace, context, processor });
  }

  startSpan(name, options = {}, above = this.context.active()) {
    return new ForeignSpan(this.processor, name, options, this.trace.getSpanContext(above));
  }

  startActiveSpan(name, options, fn) {
    const span = this.startSpan(name, options);
    return this.context.with(this.trace.setSpan(this.context.active(), span), fn, undefined, span);
  }
}

class ForeignSpan {
  #context;

  constructor(processor, name, options, parentSpanContext) {
    const traceId = parentSpanContext?.traceId ?? randomBytes(16).toString("hex");
    this.#context = { traceId, spanId: randomBytes(8).toString("hex"), traceFlags: 1 };
    Object.assign(this, { processor, name, parentSpanContext, attributes: { ...options.attributes } });
    processor.onStart(this);
  }

  spanContext() {
    return this.#context;
  }

  setAttribute(key, value) {
    this.attributes[key] = value;
    return this;
  }

  isRecording() {
    return true;
  }

  end() {
    this.processor.onEnd(this);
  }
}

/** Remembers what it is told, in words that are the same in every run. */
class Recorder {
  calls = [];
  #names = new Map();

  onStart(span) {
    const { spanId, traceId } = span.spanContext();
    this.#names.set(spanId, span.name);
    if (!this.#names.has(traceId)) this.#names.set(traceId, `trace of ${span.name}`);
    this.#note("start", span);
  }

  onEnd(span) {
    this.#note("end", span);
  }

  async forceFlush() {
    this.calls.push("forceFlush");
  }

  async shutdown() {
    this.calls.push("shutdown");
  }

  #note(what, span) {
    const parent = span.parentSpanContext?.spanId ?? span.parentSpanId;
    const parentName = parent ? (this.#names.get(parent) ?? "unknown") : "none";
    const attributes = JSON.stringify(span.attributes);
    this.calls.push(
      `${what} ${span.name} in ${this.#names.get(span.spanContext().traceId)} below ${parentName} ${attributes}`,
    );
  }
}

/** As `@opentelemetry/instrumentation` does: the tracer is taken once, when the instrumentation is made. */
class Instrumentation {
  constructor(api) {
    this.api = api;
    this.tracer = api.trace.getTracer("instrumentation", "1.0.0");
  }

  call(name) {
    this.tracer.startActiveSpan(name, { attributes: { "openinference.span.kind": "CHAIN" } }, (span) => {
      const child = this.tracer.startSpan(`${name}-child`);
      child.setAttribute("openinference.span.kind", "LLM");
      child.end();
      span.end();
    });
  }
}

/** `instrumentationApi`: the package through which the instrumentation gets its copy of the API. */
async function scenario(load, { steps, provider, instrumentationApi = "@opentelemetry/api" }) {
  const recorder = new Recorder();
  let instrumentation;
  let registered;
  let closing = () => {};

  async function step(name) {
    if (name === "A") (await load("openinference-mlflow")).autolog();
    else if (name === "I") instrumentation = new Instrumentation(await load(instrumentationApi));
    else if (name === "P") registered = await providers[provider](load, recorder);
    else if (name === "S") instrumentation.call("first");
  }

  async function walk(rest) {
    for (let at = 0; at < rest.length; at++) {
      if (rest[at] === "(") {
        const inner = rest.slice(at + 1);
        return instrumentation.tracer.startActiveSpan("outer", async (outer) => {
          closing = () => outer.end();
          await walk(inner);
        });
      }
      if (rest[at] === ")") closing();
      else await step(rest[at]);
    }
  }

  await walk([...steps]);
  instrumentation.call("later");
  new Instrumentation(await load("@opentelemetry/api")).call("fresh");
  await registered?.forceFlush?.();
  if (steps.includes("A")) await (await load("openinference-mlflow")).flush();
  await registered?.shutdown?.();
  return recorder.calls;
}

exports.run = async (load) => {
  const calls = await scenario(load, JSON.parse(process.env.SCENARIO));
  process.stdout.write(JSON.stringify(calls));
};
