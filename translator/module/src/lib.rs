//! The translator as a plain WebAssembly module: the ABI of `wit/module-abi.md`.
//!
//! The module imports nothing and owns all of its memory. The caller asks for room with `input`, writes a frame there,
//! calls a function, and reads the frame that the function returns. Both buffers belong to the module, so no pointer from
//! outside is ever dereferenced: a wrong call gets an error as its answer, and this crate needs no unsafe block.
//!
//! The data's path is [`frame`] (bytes in and out) → [`calls`] (what each export does) → [`answer`] (contract types as JSON).
#![deny(unsafe_code)]

mod answer;
mod calls;
mod exports;
mod frame;
mod instance;
