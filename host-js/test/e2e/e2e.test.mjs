/** Real model clients, real OpenInference instrumentations, a real MLflow server, read back over its REST API. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startMlflowServer } from "../support/mlflow-server.mjs";
import { readSpans } from "../support/otlp.mjs";
import { run } from "../support/run.mjs";
import { CHAT_TEXT, CLAUDE_TEXT, STREAM_PIECES, startModels, TOOL_ARGUMENTS } from "./models.mjs";

const host = fileURLToPath(new URL("../..", import.meta.url));
const folder = fileURLToPath(new URL("./app", import.meta.url));

let mlflow;
let models;
let phoenix;

before(async () => {
  installApp();
  mlflow = await startMlflowServer();
  models = await startModels();
  phoenix = await startPhoenix();
});
after(() => Promise.all([mlflow?.stop(), models?.stop(), phoenix?.stop()]));

function installApp() {
  if (!existsSync(`${folder}/node_modules`))
    execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: folder, stdio: "pipe" });
  const installed = `${folder}/node_modules/openinference-mlflow`;
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed);
  cpSync(`${host}/package.json`, `${installed}/package.json`);
  cpSync(`${host}/dist`, `${installed}/dist`, { recursive: true });
}

/** What Phoenix's exporter talks to: keeps the spans of every payload. */
async function startPhoenix() {
  const spans = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    spans.push(...readSpans(Buffer.concat(chunks)));
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/traces`,
    take: () => spans.splice(0),
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function runApp(experiment, env = {}) {
  const ended = await run(process.execPath, ["app.mjs"], {
    cwd: folder,
    limitMillis: 180_000,
    env: {
      MLFLOW_TRACKING_URI: mlflow.uri,
      MLFLOW_EXPERIMENT_NAME: experiment,
      MODELS: models.uri,
      PHOENIX_URL: phoenix.url,
      ...env,
    },
  });
  assert.equal(ended.code, 0, ended.stderr);
  const stats = JSON.parse(ended.stdout);
  assert.deepEqual([stats.dropped, stats.setAside, stats.pending], [0, 0, 0], ended.stderr);
  return { ...ended, stats, traces: await mlflow.traces(experiment) };
}

const content = (span) => span.attributes["mlflow.spanOutputs"]?.choices?.[0]?.message;
const isOpenAi = (span) => span.name === "OpenAI Chat Completions";

describe("an application with OpenAI, Anthropic and LangChain", () => {
  let result;
  let spans;
  before(async () => {
    result = await runApp("e2e");
    spans = result.traces.flatMap((trace) => trace.spans);
  });

  test("has every span in MLflow, and none twice", () => {
    assert.equal(spans.length, result.stats.received);
    assert.equal(new Set(spans.map((span) => span.span_id)).size, spans.length);
  });

  test("has the chat below the agent, with type, messages, model, tokens, session and user", () => {
    const {
      info,
      spans: [...nested],
    } = result.traces.find((trace) => trace.spans.some(({ name }) => name === "answer"));
    const agent = nested.find(({ name }) => name === "answer");
    const chat = nested.find(isOpenAi);
    assert.equal(nested.length, 2);
    assert.equal(chat.parent_span_id, agent.span_id);
    assert.equal(agent.attributes["mlflow.spanType"], "AGENT");
    assert.equal(chat.attributes["mlflow.spanType"], "LLM");
    assert.equal(content(chat).content, CHAT_TEXT);
    assert.equal(chat.attributes["mlflow.llm.model"], "gpt-4o-mini");
    const usage = { input_tokens: 21, output_tokens: 8, total_tokens: 29 };
    assert.deepEqual(chat.attributes["mlflow.chat.tokenUsage"], usage);
    assert.equal(info.state, "OK");
    assert.equal(info.trace_metadata["mlflow.trace.session"], "s-1");
    assert.equal(info.trace_metadata["mlflow.trace.user"], "u-1");
    assert.deepEqual(JSON.parse(info.trace_metadata["mlflow.trace.tokenUsage"]), usage);
  });

  test("has the tool call, the stream, the embedding, Claude's answer and LangChain's chain", () => {
    const text = (span) => JSON.stringify(span.attributes);
    assert.ok(spans.some((span) => isOpenAi(span) && text(span).includes(JSON.stringify(TOOL_ARGUMENTS))));
    assert.ok(spans.some((span) => isOpenAi(span) && text(span).includes(STREAM_PIECES.join(""))));
    assert.ok(spans.some((span) => span.attributes["mlflow.spanType"] === "EMBEDDING"));
    assert.ok(spans.some((span) => text(span).includes(CLAUDE_TEXT)));
    const chain = spans.find((span) => span.attributes["mlflow.spanType"] === "CHAIN");
    assert.ok(spans.some((span) => span.parent_span_id === chain.span_id));
  });
});

describe("Phoenix beside MLflow", () => {
  for (const order of ["before", "after"]) {
    test(`registered ${order} autolog(): both hold every span, under the same ids`, async () => {
      const { traces, stderr } = await runApp(`phoenix-${order}`, { PHOENIX: order });
      const ids = (spans) => spans.map(({ name, spanId }) => `${spanId} ${name}`).sort();
      const here = traces.flatMap((trace) => trace.spans).map(({ name, span_id }) => ({ name, spanId: hex(span_id) }));
      assert.deepEqual(ids(here), ids(phoenix.take()), stderr);
      assert.ok(here.length > 5);
    });
  }
});

test("OPENINFERENCE_HIDE_INPUTS and _OUTPUTS hold in MLflow, though the instrumentations were made without a traceConfig", async () => {
  const { traces } = await runApp("hidden", { OPENINFERENCE_HIDE_INPUTS: "true", OPENINFERENCE_HIDE_OUTPUTS: "true" });
  const spans = traces.flatMap((trace) => trace.spans);
  const inputs = spans.map((span) => span.attributes["input.value"]).filter((input) => input !== undefined);
  assert.ok(inputs.length > 5);
  assert.deepEqual(new Set(inputs), new Set(["__REDACTED__"]));
  // The template of a prompt is neither: "Tell me about {topic}" stays.
  for (const secret of ["What is the capital", "Tell me about France", CHAT_TEXT, CLAUDE_TEXT]) {
    const keys = spans.flatMap(({ attributes }) => Object.entries(attributes).filter((entry) => leaks(entry, secret)));
    assert.deepEqual(keys, [], secret);
    assert.equal(JSON.stringify(traces.map(({ info }) => info)).includes(secret), false, `${secret} in a preview`);
  }
});

function leaks([, value], secret) {
  return JSON.stringify(value).includes(secret);
}

/** MLflow's JSON has ids in base64. */
function hex(id) {
  return Buffer.from(id, "base64").toString("hex");
}
