/**
 * A Node side of `make bench-border`: `node side.mjs component|module|npm WASM LIST`. WASM is what jco made of the component,
 * the module, or what wasm-bindgen made for the npm package. Prints each payload's microseconds as JSON.
 */

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const ROUNDS = 20;

const [kind, wasm, list] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(resolve(path)).href);

const BINDINGS = {
  async component() {
    const { translate } = await load(wasm);
    return (payload) => translate.translate(payload, "protobuf", "protobuf").payload;
  },
  async npm() {
    const { initSync, translate } = await load(join(dirname(wasm), "translator.js"));
    initSync({ module: new WebAssembly.Module(readFileSync(wasm)) });
    return translate;
  },
  async module() {
    const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});
    const { memory, input, translate } = instance.exports;
    const json = new TextEncoder().encode('{"from":"protobuf","to":"protobuf"}');
    const decoder = new TextDecoder();
    return (payload) => {
      const pointer = input(8 + json.length + payload.length) >>> 0;
      const header = new DataView(memory.buffer, pointer, 8);
      header.setUint32(0, json.length, true);
      header.setUint32(4, payload.length, true);
      new Uint8Array(memory.buffer, pointer + 8).set(json);
      new Uint8Array(memory.buffer, pointer + 8 + json.length).set(payload);
      const answer = translate() >>> 0;
      const begin = answer + 8 + new DataView(memory.buffer, answer, 4).getUint32(0, true);
      const { ok } = JSON.parse(decoder.decode(new Uint8Array(memory.buffer, answer + 8, begin - answer - 8)));
      const [offset, length] = ok.payload;
      return new Uint8Array(memory.buffer, begin + offset, length).slice();
    };
  },
};

const payloads = readFileSync(list, "utf8").trim().split("\n").map((path) => new Uint8Array(readFileSync(path)));
const translate = await BINDINGS[kind]();
const fastest = payloads.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round < ROUNDS; round++) {
  for (const [place, payload] of payloads.entries()) {
    const start = performance.now();
    translate(payload);
    fastest[place] = Math.min(fastest[place], (performance.now() - start) * 1000);
  }
}
console.log(JSON.stringify(fastest));
