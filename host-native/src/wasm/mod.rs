//! The translator in WebAssembly: loaded once, instantiated as often as needed.
//!
//! Guarantees: a guest sees nothing but what it is handed; it holds no more memory than its limit; no call takes longer
//! than [`CALL_LIMIT`]. A guest that breaks a limit or panics traps, which the caller gets as a [`Trap`]; an instance
//! that trapped is never called again.

mod bindings;
mod bridge;
mod engine;
mod limits;
mod trap;

pub use bindings::{
    Accepted, Answer, Context, Encoding, Event, Level, Malformed, Notice, Quarantined, Rejection, Repair, Request,
    Response, Stats, Translated,
};
pub use bridge::{Bridge, GuestBridge, GuestBridges, OpenBridge, OpenError};
pub use engine::{LoadError, Translator};
pub use limits::{CALL_LIMIT, MemoryLimit};
pub use trap::{Cause, Trap};
