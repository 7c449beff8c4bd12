/**
 * An embedder of the component: Node and what jco makes of it.
 *
 *     npx jco transpile COMPONENT --name translator --out-dir FOLDER
 *     node embedder.mjs FOLDER/translator.js PAIRS
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [transpiled, list] = process.argv.slice(2);
// In a program of yours: import { translate } from "./translator/translator.js";
const { translate } = await import(pathToFileURL(resolve(transpiled)).href);

/** What `translate` returns; jco throws the contract's errors, with the record as `payload`. */
function found({ payload, encoding }) {
  try {
    const translated = translate.translate(readFileSync(payload), encoding, "protobuf");
    return { sha256: createHash("sha256").update(translated.payload).digest("hex") };
  } catch (error) {
    if (error.payload?.reason === undefined) throw error;
    return { malformed: error.payload.reason };
  }
}

const pairs = JSON.parse(readFileSync(list, "utf8"));
for (const pair of pairs) {
  const { sha256, malformed } = found(pair);
  if (sha256 !== pair.sha256 || malformed !== pair.malformed) {
    console.error(`${pair.payload}: ${sha256 ?? malformed}`);
    process.exit(1);
  }
}
console.log(`${pairs.length} pairs`);
