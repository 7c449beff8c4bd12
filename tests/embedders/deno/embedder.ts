/**
 * An embedder of the plain module: Deno, no packages.
 *
 *     deno run --allow-read embedder.ts MODULE PAIRS
 */

type Pair = { payload: string; encoding: string; sha256?: string; malformed?: string };
type Answer = { ok?: { payload: [number, number] }; err?: { kind: string; reason: string } };

const [wasm, list] = Deno.args;
// The module imports nothing.
const { instance } = await WebAssembly.instantiate(await Deno.readFile(wasm), {});
const memory = instance.exports.memory as WebAssembly.Memory;
const functions = instance.exports as unknown as Record<string, (...numbers: (number | bigint)[]) => number>;
if (functions.abi() !== 1) throw new Error(`this program knows ABI 1, the module has ${functions.abi()}`);

/** Writes the input frame of the next call: one JSON value and bytes. */
function write(value: unknown, payload: Uint8Array) {
  const json = new TextEncoder().encode(JSON.stringify(value));
  const length = 8 + json.length + payload.length;
  const pointer = functions.input(length) >>> 0;
  // A call may move the memory: make the views after it.
  const header = new DataView(memory.buffer, pointer, 8);
  header.setUint32(0, json.length, true);
  header.setUint32(4, payload.length, true);
  new Uint8Array(memory.buffer, pointer + 8, json.length).set(json);
  new Uint8Array(memory.buffer, pointer + 8 + json.length, payload.length).set(payload);
}

/** Calls an export; arguments of the type i64 are BigInts. The answer's bytes are a copy: the next call overwrites them. */
function call(name: string, ...numbers: (number | bigint)[]): { answer: Answer; bytes: Uint8Array<ArrayBuffer> } {
  const pointer = functions[name](...numbers) >>> 0;
  const header = new DataView(memory.buffer, pointer, 8);
  const end = pointer + 8 + header.getUint32(0, true);
  const json = new TextDecoder().decode(new Uint8Array(memory.buffer, pointer + 8, end - pointer - 8));
  const bytes = new Uint8Array(new Uint8Array(memory.buffer, end, header.getUint32(4, true)));
  return { answer: JSON.parse(json), bytes };
}

const pairs: Pair[] = JSON.parse(await Deno.readTextFile(list));
for (const { payload, encoding, sha256, malformed } of pairs) {
  write({ from: encoding, to: "protobuf" }, await Deno.readFile(payload));
  const { answer, bytes } = call("translate");
  let found = answer.err?.reason;
  if (answer.ok) {
    const [offset, length] = answer.ok.payload;
    const digest = await crypto.subtle.digest("SHA-256", bytes.subarray(offset, offset + length));
    found = new Uint8Array(digest).toHex();
  }
  if (found !== (answer.ok ? sha256 : malformed)) {
    console.error(`${payload}: ${found}`);
    Deno.exit(1);
  }
}
console.log(`${pairs.length} pairs`);
