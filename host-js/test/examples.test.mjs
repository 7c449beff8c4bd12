/** Each example does what its first lines say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app, names } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

const example = (name) => readFileSync(new URL(`../examples/${name}.mjs`, import.meta.url), "utf8");

let mock;
before(async () => {
  installFixtures();
  mock = await startMlflowMock();
});
after(() => mock.stop());

test("quickstart: the span is in its experiment", async () => {
  const { spans, requests, stderr } = await app(mock, example("quickstart"), { prelude: "" });
  assert.deepEqual([names(spans), stderr], [["ask"], ""]);
  const created = requests.find(({ path }) => path.endsWith("/experiments/create"));
  assert.equal(JSON.parse(created.body).name, "quickstart");
});

test("phoenix: MLflow and Phoenix each get the span", async () => {
  let payloads = 0;
  const phoenix = createServer((request, response) => {
    payloads++;
    request.resume().on("end", () => response.writeHead(200).end());
  });
  await new Promise((resolve) => phoenix.listen(0, "127.0.0.1", resolve));
  const env = { PHOENIX_COLLECTOR_ENDPOINT: `http://127.0.0.1:${phoenix.address().port}` };
  const { spans } = await app(mock, example("phoenix"), { prelude: "", fixture: "phoenix-otel", env });
  phoenix.close();
  assert.deepEqual([names(spans), payloads], [["ask"], 1]);
});

test("lambda: the trace is there when the handler has answered", async () => {
  const source = `${example("lambda")}
    const { statusCode } = await handler({ question: "why?" });
    process.stdout.write(String(statusCode));
    process.exit();`;
  const { spans, printed } = await app(mock, source, { prelude: "" });
  assert.deepEqual([names(spans), printed], [["handle"], [200]]);
});
