/**
 * One exporter under load, in a process of its own: `ours`, `inline` (ours with `worker: false`), `stock`
 * (BatchSpanProcessor and the OTLP/protobuf exporter) or `none`. Prints its measurements as JSON.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";

const { EXPORTER, URI, RATE, SECONDS } = process.env;
const SIZE = 10;

const api = await import("@opentelemetry/api");
const { NodeTracerProvider, BatchSpanProcessor } = await import("@opentelemetry/sdk-trace-node");
const { makeTrace } = await import(process.env.SPANS);

const began = performance.now();
const processors = [];
let flush = async () => {};
if (EXPORTER === "stock") {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  const exporter = new OTLPTraceExporter({ url: `${URI}/v1/traces`, headers: { "x-mlflow-experiment-id": "0" } });
  processors.push(new BatchSpanProcessor(exporter, { maxQueueSize: 1_000_000 }));
  flush = () => provider.forceFlush();
}
const provider = new NodeTracerProvider({ spanProcessors: processors });
provider.register();
if (EXPORTER === "ours" || EXPORTER === "inline") {
  const mlflow = await import("openinference-mlflow");
  mlflow.autolog({ trackingUri: URI, worker: EXPORTER === "ours" });
  flush = () => mlflow.flush();
}
const tracer = api.trace.getTracer("bench");
makeTrace(api, tracer, SIZE);
await flush();
const startMillis = performance.now() - began;

// Memory of spans that wait.
globalThis.gc();
const memoryBefore = process.memoryUsage();
for (let at = 0; at < 200; at++) makeTrace(api, tracer, SIZE);
globalThis.gc();
const memoryAfter = process.memoryUsage();
const held = memoryAfter.heapUsed + memoryAfter.arrayBuffers - memoryBefore.heapUsed - memoryBefore.arrayBuffers;
await flush();

// A steady rate, made in a timer as an application's requests would be.
const delay = monitorEventLoopDelay({ resolution: 1 });
const residentBefore = process.memoryUsage.rss();
let resident = residentBefore;
const watch = setInterval(() => {
  resident = Math.max(resident, process.memoryUsage.rss());
}, 100);
// Node reports a thread's time from version 23.9 on.
const mainThread = process.threadCpuUsage ?? (() => ({ user: Number.NaN, system: 0 }));
const [cpuBefore, mainBefore] = [process.cpuUsage(), mainThread()];
const [end, perTick] = [performance.now() + Number(SECONDS) * 1000, Number(RATE) / 200];
delay.enable();
let made = 0;
let due = 0;
await new Promise((resolve) => {
  const timer = setInterval(() => {
    due += perTick;
    for (; made + SIZE <= due; made += SIZE) makeTrace(api, tracer, SIZE);
    if (performance.now() < end) return;
    clearInterval(timer);
    resolve();
  }, 5);
});
await flush();
delay.disable();
clearInterval(watch);
const [cpu, main] = [process.cpuUsage(cpuBefore), mainThread()];
process.stdout.write(
  JSON.stringify({
    spans: made,
    startMillis,
    cpuMicrosPerSpan: (cpu.user + cpu.system) / made,
    mainMicrosPerSpan: (main.user + main.system - mainBefore.user - mainBefore.system) / made,
    residentGrowthMib: (resident - residentBefore) / 2 ** 20,
    delayP50: delay.percentile(50) / 1e6,
    delayP99: delay.percentile(99) / 1e6,
    delayMax: delay.max / 1e6,
    heldBytesPerSpan: held / 2000,
  }),
);
