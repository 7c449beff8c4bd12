"""The translator: the core as a WebAssembly module, run by wasmtime."""
