/**
 * An embedder of the plain module: Bun, no packages.
 *
 *     bun embedder.js MODULE PAIRS
 */

const [wasm, list] = process.argv.slice(2);
// The module imports nothing.
const { instance } = await WebAssembly.instantiate(await Bun.file(wasm).arrayBuffer(), {});
const { memory, ...functions } = instance.exports;
if (functions.abi() !== 1) throw new Error(`this program knows ABI 1, the module has ${functions.abi()}`);

/** Writes the input frame of the next call: one JSON value and bytes. */
function write(value, payload) {
  const json = new TextEncoder().encode(JSON.stringify(value));
  const pointer = functions.input(8 + json.length + payload.length) >>> 0;
  // A call may move the memory: make the views after it.
  const header = new DataView(memory.buffer, pointer, 8);
  header.setUint32(0, json.length, true);
  header.setUint32(4, payload.length, true);
  new Uint8Array(memory.buffer, pointer + 8, json.length).set(json);
  new Uint8Array(memory.buffer, pointer + 8 + json.length, payload.length).set(payload);
}

/** Calls an export; arguments of the type i64 are BigInts. The answer's bytes are a copy: the next call overwrites them. */
function call(name, ...numbers) {
  const pointer = functions[name](...numbers) >>> 0;
  const header = new DataView(memory.buffer, pointer, 8);
  const end = pointer + 8 + header.getUint32(0, true);
  const json = new TextDecoder().decode(new Uint8Array(memory.buffer, pointer + 8, end - pointer - 8));
  return { answer: JSON.parse(json), bytes: new Uint8Array(memory.buffer, end, header.getUint32(4, true)).slice() };
}

const pairs = await Bun.file(list).json();
for (const { payload, encoding, sha256, malformed } of pairs) {
  write({ from: encoding, to: "protobuf" }, await Bun.file(payload).bytes());
  const { answer, bytes } = call("translate");
  let found = answer.err?.reason;
  if (answer.ok) {
    const [offset, length] = answer.ok.payload;
    found = new Bun.CryptoHasher("sha256").update(bytes.subarray(offset, offset + length)).digest("hex");
  }
  if (found !== (answer.ok ? sha256 : malformed)) {
    console.error(`${payload}: ${found}`);
    process.exit(1);
  }
}
console.log(`${pairs.length} pairs`);
