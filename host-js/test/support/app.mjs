/** Small applications: a text of JavaScript, run as a process of its own against the mock of MLflow. */

import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fixturePath } from "../matrix/fixtures.mjs";
import { run } from "./run.mjs";

/** What most applications here begin with. `provider()` registers one with a processor that counts. */
const PRELUDE = `
import { trace, context, SpanStatusCode } from "@opentelemetry/api";
import * as mlflow from "openinference-mlflow";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
const { autolog, attach, flush, shutdown, setExperiment, setTrackingUri, stats, MlflowSpanProcessor,
  getLastTraceId, getTraceUrl, logFeedback } = mlflow;
const tracer = trace.getTracer("app", "1.0.0");
const span = (name, attributes = {}) => tracer.startSpan(name, { attributes }).end();
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const print = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
`;

/**
 * @param mock of `startMlflowMock`
 * @param source the application, an ES module
 * @returns how it ended, what it printed (one JSON value a line), and what MLflow got
 */
export async function app(
  mock,
  source,
  { env = {}, args = [], fixture = "sdk-2.12", prelude = PRELUDE, onStart, limitMillis } = {},
) {
  const name = randomUUID();
  const folder = `${fixturePath(fixture)}/node_modules/.cases`;
  const file = `${folder}/${name}.mjs`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, prelude + source);
  try {
    const ended = await run(process.execPath, [...args, file], {
      cwd: fixturePath(fixture),
      env: { MLFLOW_TRACKING_URI: mock.uri(name), ...env },
      onStart,
      limitMillis,
    });
    const printed = ended.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return { ...ended, printed, name, spans: mock.spans(name), requests: mock.requests(name) };
  } finally {
    rmSync(file);
  }
}

export function names(spans) {
  return spans.map((span) => span.name).sort();
}
