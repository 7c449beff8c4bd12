/**
 * The WebAssembly as text: it needs no file system, and bundlers keep it.
 *
 * `translator-text.cjs` puts the text into a global variable, because that works the same as an ES module, as CommonJS and
 * in every bundler. So one file serves all entries. Edge runtimes compile no bytes at run time: their builds replace
 * this file by `module-edge.ts`.
 */

import "../generated/translator-text.cjs";
import { inflateBase64 } from "../platform/node.js";

/** The compiled core. */
export function translatorModule(): WebAssembly.Module {
  return new WebAssembly.Module(translatorBytes());
}

/** The core's bytes, for another thread to compile. */
export function translatorBytes(): Uint8Array<ArrayBuffer> {
  const text = (globalThis as Record<symbol, unknown>)[Symbol.for("openinference-mlflow.translator")];
  return inflateBase64(text as string);
}
