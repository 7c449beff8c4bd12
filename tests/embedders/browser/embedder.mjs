/**
 * Serves the page, the module and the payloads on a loopback port, opens the page in Chromium and prints what it says.
 *
 *     CHROMIUM_BIN=/usr/bin/chromium node embedder.mjs MODULE PAIRS
 */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const [wasm, list] = process.argv.slice(2);
const pairs = JSON.parse(readFileSync(list, "utf8"));
const page = new URL("index.html", import.meta.url);

/** The content type and the file behind a path. */
function file(path) {
  if (path === "/") return ["text/html", page];
  if (path === "/translator.wasm") return ["application/wasm", wasm];
  if (path === "/pairs.json") return ["application/json", list];
  const payload = pairs[path.match(/^\/payloads\/(\d+)$/)?.[1]]?.payload;
  return payload && ["application/octet-stream", payload];
}

const server = createServer((request, response) => {
  const found = file(request.url);
  if (!found) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": found[0] }).end(readFileSync(found[1]));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  // Chromium's own sandbox needs user namespaces or a setuid helper; root in a container has neither.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"],
});
try {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error(error));
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  const result = tab.locator("#result:not(:text-is('running'))");
  await result.waitFor({ timeout: 60_000 });
  const text = await result.textContent();
  (text.endsWith(" pairs") ? console.log : console.error)(text);
  process.exitCode = text.endsWith(" pairs") ? 0 : 1;
} finally {
  await browser.close();
  server.close();
}
