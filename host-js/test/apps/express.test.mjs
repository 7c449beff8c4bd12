/** A long-lived server: concurrent requests are traces of their own, and a signal loses none. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { CHAT_TEXT, startModels } from "../e2e/models.mjs";
import { setUps } from "../set-ups.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { eventually, freePorts } from "../support/server-process.mjs";
import { prepare } from "./work.mjs";

const [{ name }] = setUps("apps/express.test.mjs");

let mock;
let models;
before(async () => {
  [mock, models] = await Promise.all([startMlflowMock(), startModels()]);
});
after(() => Promise.all([mock.stop(), models.stop()]));

test(`${name}: each request is a trace, and SIGTERM loses none`, async () => {
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, ["app.mjs"], {
    cwd: prepare("express"),
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...{ PATH: process.env.PATH, PORT: String(port), OPENAI_API_KEY: "test" },
      ...{ MLFLOW_TRACKING_URI: mock.uri("express"), OPENAI_BASE_URL: `${models.uri}/v1` },
    },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  try {
    const address = `http://127.0.0.1:${port}`;
    await eventually(() => fetch(address).catch(() => false), "Express answers");
    const answers = await Promise.all(
      [1, 2, 3].map(async (number) => (await fetch(`${address}/chat?q=question-${number}`)).json()),
    );
    assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set([CHAT_TEXT]), stderr);
    child.kill("SIGTERM");
    assert.equal(await ended, "SIGTERM", stderr);
  } finally {
    child.kill("SIGKILL");
  }
  const spans = mock.spans("express");
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId);
  assert.deepEqual(
    roots.map((span) => span.name),
    ["LangGraph", "LangGraph", "LangGraph"],
  );
  for (const { traceId, attributes } of roots) {
    const [question] = attributes["input.value"].match(/question-\d/);
    const model = spans.find(
      (span) => span.traceId === traceId && span.attributes["openinference.span.kind"] === "LLM",
    );
    assert.match(JSON.stringify(Object.entries(model.attributes).map(String)), new RegExp(question));
  }
});
