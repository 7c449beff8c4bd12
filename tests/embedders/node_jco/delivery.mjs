/**
 * Delivers a payload with the component, to a folder instead of a server.
 *
 *     npx jco transpile COMPONENT --name translator --out-dir TRANSPILED
 *     node delivery.mjs TRANSPILED/translator.js PAYLOAD FOLDER
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [transpiled, payload, folder] = process.argv.slice(2);
// In a program of yours: import { delivery } from "./translator/translator.js";
const { delivery } = await import(pathToFileURL(resolve(transpiled)).href);

/** The bridge wants a time that never runs backwards. */
const now = () => BigInt(Math.floor(performance.timeOrigin + performance.now()));

/** One request of the destination "local". For a server, send it with `fetch` and add credentials. */
async function perform({ method, path, body }) {
  if (method === "GET") {
    const traces = join(folder, "traces");
    const experiments = existsSync(traces) ? readdirSync(traces) : [];
    const file = experiments.map((name) => join(traces, name, basename(path))).find(existsSync);
    return file ? { status: 200, headers: [], body: readFileSync(file) } : { status: 404, headers: [], body: new Uint8Array() };
  }
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, body);
  renameSync(`${file}.new`, file);
  return { status: 200, headers: [], body: new Uint8Array() };
}

const bridge = delivery.Bridge.open(JSON.stringify({ destination: "local", settle_ms: 100 }));
const { receipt, spans } = bridge.ingest(readFileSync(payload), { encoding: "protobuf" }, now());
for (let done = false; !done; ) {
  for (const request of bridge.poll(now())) {
    const response = await perform(request);
    bridge.complete(request.id, { tag: "response", val: response }, now());
  }
  for (const { tag, val } of bridge.events()) {
    if (tag === "done" && val === receipt) done = true;
    else console.error(tag, val);
  }
  const wakeup = bridge.nextWakeup();
  if (!done && wakeup !== undefined) await sleep(Math.max(0, Number(wakeup - now())));
}
console.log(`${spans} spans`);
