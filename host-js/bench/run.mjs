/**
 * What sending spans costs the application: this package beside the stock way, in one run, by ratio.
 *
 * The cost is the main thread's CPU time while spans are made at a steady rate and sent, less that of making them alone.
 * Node reports a thread's time from version 23.9 on: `test/runtimes` has one.
 */

import { cpSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { fixturePath, installFixtures } from "../test/matrix/fixtures.mjs";
import { run } from "../test/support/run.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const RATE = process.env.RATE ?? "1000";
const SECONDS = process.env.SECONDS ?? "5";

const node = process.threadCpuUsage
  ? process.execPath
  : fileURLToPath(new URL("../test/runtimes/node_modules/node-24/bin/node", import.meta.url));

installFixtures();
// The fixture with Phoenix has the stock exporter.
const cwd = fixturePath("phoenix-otel");
const folder = `${cwd}/node_modules/.cases`;
mkdirSync(folder, { recursive: true });
for (const file of ["app.mjs", "spans.mjs"]) cpSync(`${here}/${file}`, `${folder}/${file}`);

const sink = createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.url === "/version") response.end("3.17.2");
    else if (request.url.includes("/experiments/get")) {
      response.setHeader("content-type", "application/json");
      response.end('{"experiment":{"experiment_id":"0","lifecycle_stage":"active"}}');
    } else response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
});
await new Promise((resolve) => sink.listen(0, "127.0.0.1", resolve));
const URI = `http://127.0.0.1:${sink.address().port}`;

const results = {};
for (const EXPORTER of ["none", "stock", "ours", "inline"]) {
  const env = { EXPORTER, URI, RATE, SECONDS, SPANS: `${folder}/spans.mjs` };
  const { code, stdout, stderr } = await run(node, ["--expose-gc", `${folder}/app.mjs`], { cwd, env });
  if (code !== 0) throw new Error(stderr);
  results[EXPORTER] = JSON.parse(stdout);
}
sink.close();

const { none, stock, ours, inline } = results;
const cost = (result) => result.cpuMicrosPerSpan - none.cpuMicrosPerSpan;
const row = (result) => ({
  "CPU µs/span": round(cost(result)),
  "loop delay p99 ms": round(result.delayP99),
  "loop delay max ms": round(result.delayMax),
  "held bytes/span": Math.round(result.heldBytesPerSpan),
  "start ms": round(result.startMillis),
});
console.log(`${RATE} spans/s for ${SECONDS} s, ${none.spans} spans`);
console.table({
  "making spans alone": { ...row(none), "CPU µs/span": round(none.cpuMicrosPerSpan) },
  stock: row(stock),
  ours: row(ours),
  "ours, worker: false": row(inline),
});
console.log(`ours / stock, CPU: ${round(cost(ours) / cost(stock))}`);

function round(value) {
  return Math.round(value * 100) / 100;
}
