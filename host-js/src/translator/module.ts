/**
 * The WebAssembly as text inside the JavaScript: needs no file system, and survives every bundler.
 *
 * Edge runtimes compile no bytes at run time; their builds put `module-edge.ts` in this place.
 */

import { WASM_BASE64 } from "../generated/wasm-base64.js";

export function translatorModule(): WebAssembly.Module {
  return new WebAssembly.Module(translatorBytes());
}

export function translatorBytes(): Uint8Array<ArrayBuffer> {
  if (typeof Buffer === "function") return Uint8Array.from(Buffer.from(WASM_BASE64, "base64"));
  return Uint8Array.from(atob(WASM_BASE64), (character) => character.charCodeAt(0));
}
