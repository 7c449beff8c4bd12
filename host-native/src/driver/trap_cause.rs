//! A trap of the instance, and the payloads that may have caused it.

use super::open_payloads::PayloadId;
use crate::wasm::Trap;

/// What caused a trap.
#[derive(Debug, Clone, Copy)]
pub(super) enum TrapCause {
    Payload(PayloadId),
    AnyIngested,
}

/// A trap and its cause.
#[derive(Debug)]
pub(super) struct AttributedTrap {
    pub(super) trap: Trap,
    pub(super) cause: TrapCause,
}

/// Attributes a trap to its cause.
pub(super) trait AttributeTrap<T> {
    fn attribute(self, cause: TrapCause) -> Result<T, AttributedTrap>;
}

impl<T> AttributeTrap<T> for Result<T, Trap> {
    fn attribute(self, cause: TrapCause) -> Result<T, AttributedTrap> {
        self.map_err(|trap| AttributedTrap { trap, cause })
    }
}
