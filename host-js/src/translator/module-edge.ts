/** The WebAssembly as a module that the runtime has compiled: edge runtimes compile no bytes themselves. */

import wasm from "./translator.wasm";

export function translatorModule(): WebAssembly.Module {
  return wasm;
}
