/** Next.js, built by each of its bundlers, as the standalone server that containers run. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { startModels } from "../e2e/models.mjs";
import { setUps } from "../set-ups.mjs";
import { examples, replaced } from "../support/docs.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { run } from "../support/run.mjs";
import { eventually, freePorts } from "../support/server-process.mjs";
import { prepare } from "./work.mjs";

const BUILD_MILLIS = 900_000;

/** Options of `next build`, by set-up. */
const BUILDS = {
  "Next.js 15 with AI SDK 5, webpack": [],
  "Next.js 16 with AI SDK 6, Turbopack": [],
  "Next.js 16 with AI SDK 6, webpack": ["--webpack"],
};

let mock;
let models;
before(async () => {
  [mock, models] = await Promise.all([startMlflowMock(), startModels()]);
});
after(() => Promise.all([mock.stop(), models.stop()]));

/** Builds the application as the page describes it; `AUTOLOG` has its options. Returns the standalone server's folder. */
async function build(version, options) {
  const folder = prepare(version, "next");
  const [instrumentation, config, , standalone] = examples("Next.js");
  replaced(standalone, "autolog({ registerProvider: true, flushOnSignals: true })", "");
  const autolog = "autolog(JSON.parse(process.env.AUTOLOG))";
  writeFileSync(
    `${folder}/instrumentation.ts`,
    replaced(instrumentation, "autolog({ registerProvider: true })", autolog),
  );
  const output = 'export default { output: "standalone", outputFileTracingRoot: import.meta.dirname,';
  writeFileSync(`${folder}/next.config.ts`, replaced(config, "export default {", output));
  const { code, stdout, stderr } = await run(
    process.execPath,
    ["node_modules/next/dist/bin/next", "build", ...options],
    { cwd: folder, limitMillis: BUILD_MILLIS, env: { NEXT_TELEMETRY_DISABLED: "1" } },
  );
  assert.equal(code, 0, stdout + stderr);
  return `${folder}/.next/standalone`;
}

/** Serves, asks for a chat, and ends with SIGTERM as soon as it is answered. */
async function serveOnce(folder, name, { autolog, env = {} }) {
  const [port] = await freePorts(1);
  const [, , command] = examples("Next.js");
  const manual = Object.fromEntries([...command.matchAll(/(\w+)=(\w+) node/g)].map(([, key, value]) => [key, value]));
  const child = spawn(process.execPath, ["server.js"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...{ PATH: process.env.PATH, HOSTNAME: "127.0.0.1", PORT: String(port), NODE_ENV: "production" },
      ...{ AUTOLOG: JSON.stringify(autolog), MLFLOW_TRACKING_URI: mock.uri(name), OPENAI_BASE_URL: `${models.uri}/v1` },
      ...(autolog.flushOnSignals && manual),
      ...env,
    },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  try {
    const page = () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.ok);
    await eventually(() => page().catch(() => false), `Next.js answers: ${stderr}`, 60_000);
    for (const query of ["", "?stream"]) {
      const response = await fetch(`http://127.0.0.1:${port}/api/chat${query}`);
      assert.equal(response.status, 200, stderr);
      await response.text();
    }
    child.kill("SIGTERM");
    return { end: await ended, stderr, spans: mock.spans(name) };
  } finally {
    child.kill("SIGKILL");
  }
}

const AI_SPANS = [
  ...["ai.generateText", "ai.generateText.doGenerate", "ai.generateText.doGenerate"],
  ...["ai.streamText", "ai.streamText.doStream"],
];
const aiSpans = (spans) => spans.map(({ name }) => name).filter((name) => name.startsWith("ai."));

for (const { name, folder: versions } of setUps("apps/next.test.mjs")) {
  describe(name, () => {
    const id = name.replaceAll(/\W+/g, "-");
    let server;
    before(async () => {
      server = await build(basename(versions), BUILDS[name]);
    });
    // The next set-up builds in the same folder.
    after(() => renameSync(server, `${server}-${id}-done`));

    test("a standalone server that a signal ends sends every span first, the SDK's below the request's", async () => {
      const autolog = { registerProvider: true, flushOnSignals: true };
      const { end, spans, stderr } = await serveOnce(server, `${id}-flush`, { autolog });
      assert.equal(end, "SIGTERM", stderr);
      assert.deepEqual(aiSpans(spans).sort(), AI_SPANS);
      const byId = new Map(spans.map((span) => [span.spanId, span]));
      const root = (span) => (byId.has(span.parentSpanId) ? root(byId.get(span.parentSpanId)) : span);
      const chats = spans.filter(({ name }) => /^ai\.\w+$/.test(name)).map((span) => root(span));
      assert.deepEqual(new Set(chats.map(({ parentSpanId }) => parentSpanId)), new Set([""]));
      for (const chat of chats) assert.match(chat.name, /^GET \/api\/chat/);
    });

    test("a standalone server that handles the signal itself sends every span, too", async () => {
      const { spans, stderr } = await serveOnce(server, `${id}-own`, { autolog: { registerProvider: true } });
      assert.deepEqual(aiSpans(spans).sort(), AI_SPANS, stderr);
    });

    test("without registerProvider the spans of the SDK arrive, or a message says why they do not", async () => {
      const { spans, stderr } = await serveOnce(server, `${id}-alone`, { autolog: {} });
      const messages = stderr.match(/spans from .* do not reach MLflow/g) ?? [];
      if (name.startsWith("Next.js 15")) {
        assert.deepEqual(aiSpans(spans), []);
        assert.equal(messages.length, 1, stderr);
        assert.match(stderr, /route\.js do not reach MLflow: .*autolog\(\{ registerProvider: true \}\)/);
      } else {
        assert.deepEqual([aiSpans(spans).sort(), messages], [AI_SPANS, []]);
      }
    });
  });
}
