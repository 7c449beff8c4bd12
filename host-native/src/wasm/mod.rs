//! Runs the translator in wasmtime: loaded once, instantiated as often as needed.
//!
//! Guarantees: an instance has no access to anything but its arguments; it uses no more memory than its limit; no call takes
//! longer than [`CALL_LIMIT`]. An instance that exceeds a limit or panics traps, and the caller gets a [`Trap`]. An instance
//! that trapped is never called again.

mod bindings;
mod bridge;
mod engine;
mod limits;
mod trap;

pub use bindings::{
    Accepted, Answer, Event, Level, Malformed, Notice, Quarantined, Rejection, Repair, Request, Response, Stats,
    Translated,
};
pub use bridge::{Bridge, OpenBridge, OpenError, WasmBridge, WasmBridges};
pub use engine::{LoadError, Translator};
pub use limits::{CALL_LIMIT, MemoryLimit};
pub use trap::{Cause, Trap};
