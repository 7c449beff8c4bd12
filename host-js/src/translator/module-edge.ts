/** In place of `module.ts` for edge runtimes, which compile the WebAssembly when they deploy the application. */

import wasm from "./translator.wasm";

export function translatorModule(): WebAssembly.Module {
  return wasm;
}

/** There are no other threads that could need the bytes. */
export function translatorBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array();
}
