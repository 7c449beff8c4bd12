/**
 * What sending spans costs the application: this package beside the stock way, in one run, by ratio.
 *
 * The cost is the process's CPU time while spans are made at a steady rate and sent, less that of making them alone. The
 * sides take turns. With `BENCHMARK_ROWS=file` the figures are appended to that file, a JSON object a line.
 */

import { appendFileSync, cpSync, existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { fixturePath, installFixtures } from "../test/matrix/fixtures.mjs";
import { run } from "../test/support/run.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const RATE = process.env.RATE ?? "1000";
const SECONDS = process.env.SECONDS ?? "5";
const ROUNDS = Number(process.env.ROUNDS ?? "5");

if (!existsSync(fileURLToPath(new URL("../dist/index.cjs", import.meta.url)))) {
  console.error("nothing is built: run `npm ci` and `npm run build` first");
  process.exit(1);
}
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

const SIDES = ["none", "stock", "ours", "inline"];
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  const results = {};
  for (const EXPORTER of SIDES) {
    const env = { EXPORTER, URI, RATE, SECONDS, SPANS: `${folder}/spans.mjs` };
    const { code, stdout, stderr } = await run(process.execPath, ["--expose-gc", `${folder}/app.mjs`], { cwd, env });
    if (code !== 0) throw new Error(stderr);
    results[EXPORTER] = JSON.parse(stdout);
  }
  rounds.push(results);
}
sink.close();

const cpu = (round, side) => round[side].cpuMicrosPerSpan - round.none.cpuMicrosPerSpan;
const main = (round, side) => round[side].mainMicrosPerSpan - round.none.mainMicrosPerSpan;
const memory = (round, side) => round[side].residentGrowthMib - round.none.residentGrowthMib;
const of = (field) => (round, side) => round[side][field];

console.log(
  `${RATE} spans/s for ${SECONDS} s, medians of ${ROUNDS} rounds; CPU and memory without those of making spans`,
);
const columns = {
  "CPU µs/span": cpu,
  "of the main thread": main,
  "memory MiB": memory,
  "loop delay p99 ms": of("delayP99"),
  "loop delay max ms": of("delayMax"),
  "held bytes/span": of("heldBytesPerSpan"),
  "start ms": of("startMillis"),
};
const row = (side) =>
  Object.fromEntries(
    Object.entries(columns).map(([name, read]) => [name, round2(median((round) => read(round, side)))]),
  );
console.table({ stock: row("stock"), ours: row("ours"), "ours, worker: false": row("inline") });

record("CPU of the process", "µs a span", cpu, 1.5);
record("event-loop delay, p99", "ms", of("delayP99"), 1);
record("memory under load", "MiB", memory, null);

function record(name, unit, read, target) {
  const [ours, stock] = ["ours", "stock"].map((side) => median((round) => read(round, side)));
  const ratio = median((round) => read(round, "ours") / read(round, "stock"));
  const line = { table: "npm", name, unit, beside: ["BatchSpanProcessor, OTLP", stock], ours, ratio, target };
  console.log(`${name}, ours / stock: ${round2(ratio)}`);
  if (process.env.BENCHMARK_ROWS) appendFileSync(process.env.BENCHMARK_ROWS, `${JSON.stringify(line)}\n`);
}

function median(read) {
  return rounds.map(read).sort((one, other) => one - other)[Math.floor(rounds.length / 2)];
}

function round2(value) {
  return Math.round(value * 100) / 100;
}
