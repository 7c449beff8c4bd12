//! The translator as machine code, made from the component when this crate is built. A program that has it needs no
//! compiler, and starts without compiling.

#![deny(unsafe_code)]

mod config;

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

pub use config::config;

static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/translator.cwasm"));

/// The translator, for an engine that is made from [`config`].
///
/// # Errors
/// The engine has another configuration than the code was compiled for, or the processor lacks an instruction.
pub fn component(engine: &Engine) -> Result<Component> {
    // SAFETY: `build.rs` wrote the code with wasmtime's compiler, of the version that loads it; wasmtime checks the version.
    #[expect(unsafe_code, reason = "machine code cannot be checked when it is loaded")]
    unsafe {
        Component::deserialize(engine, CODE)
    }
}
