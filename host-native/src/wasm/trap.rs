//! Traps: how a wasm instance fails.

use std::fmt;

/// A call that did not return. The instance is unusable; a new one starts empty.
#[derive(Debug, thiserror::Error)]
#[error("the translator stopped in `{call}`: {cause}")]
pub struct Trap {
    /// The contract function that was called.
    pub call: &'static str,
    /// The cause.
    pub cause: Cause,
}

/// The cause of a trap.
#[derive(Debug)]
pub enum Cause {
    /// It ran for longer than [`CALL_LIMIT`](super::CALL_LIMIT).
    Runaway,
    /// It exceeded its memory limit.
    OutOfMemory,
    /// Anything else, such as a panic or a stack overflow. The text is the runtime's.
    Other(String),
}

impl Trap {
    pub(super) fn new(call: &'static str, error: &wasmtime::Error, out_of_memory: bool) -> Self {
        let cause = match error.downcast_ref::<wasmtime::Trap>() {
            _ if out_of_memory => Cause::OutOfMemory,
            Some(wasmtime::Trap::Interrupt) => Cause::Runaway,
            Some(trap) => Cause::Other(trap.to_string()),
            None => Cause::Other(format!("{error:#}")),
        };
        Self { call, cause }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runaway => write!(f, "it ran for longer than {} s", super::CALL_LIMIT.as_secs()),
            Self::OutOfMemory => f.write_str("it exceeded its memory limit"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
