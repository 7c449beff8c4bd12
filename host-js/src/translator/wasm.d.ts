/** The module that an edge runtime makes of an imported WebAssembly file. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** A script of the build that sets a global variable. */
declare module "*.cjs";
