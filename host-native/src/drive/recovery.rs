//! What happens when a guest traps: a new one takes its place and is told every open payload again.
//!
//! **Which payload was it?** A trap while a payload is offered is that payload's. A trap later on may be anybody's who
//! was told to the guest, so all of them become suspects: the new guest is told suspects one at a time, each followed
//! by a flush, so that the next trap has a name. A payload with [`MAX_TRAPS`] to its name is set aside, so that every
//! second trap at the latest leaves fewer payloads, and recovery ends.

use std::path::PathBuf;

use super::Refused;
use super::driver::Driver;
use super::open_payloads::PayloadId;
use crate::deliver::Destination;
use crate::deliver::set_aside::NotKept;
use crate::guest::{OpenBridge, OpenError, Trap};

/// How many traps a payload may be suspected of before it is set aside.
const MAX_TRAPS: u32 = 2;

/// How many guests may trap with no payload to blame before the program gives up.
const MAX_BLAMELESS: u32 = 3;

/// Whose a trap is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blame {
    One(PayloadId),
    EveryoneTold,
}

/// A trap, and whose it is.
#[derive(Debug)]
pub(super) struct Incident {
    trap: Trap,
    blame: Blame,
}

/// Puts a name to a trap.
pub(super) trait Trapped<T> {
    fn blame(self, blame: Blame) -> Result<T, Incident>;
}

impl<T> Trapped<T> for Result<T, Trap> {
    fn blame(self, blame: Blame) -> Result<T, Incident> {
        self.map_err(|trap| Incident { trap, blame })
    }
}

impl<O: OpenBridge, D: Destination> Driver<O, D> {
    /// Replaces the guest.
    ///
    /// # Errors
    /// No guest can be had, or guests trap whatever they are told.
    pub(super) fn recover(&mut self, incident: Incident) -> Result<(), OpenError> {
        let Incident { trap, blame } = incident;
        let suspects = match blame {
            Blame::One(id) => vec![id],
            Blame::EveryoneTold => self.payloads.told(),
        };
        tracing::error!(
            suspects = suspects.len(),
            "{trap}; it is replaced, and nothing is lost. Please report this, with the payload if one is set aside"
        );
        if suspects.is_empty() {
            self.blameless += 1;
            if self.blameless >= MAX_BLAMELESS {
                return Err(trap.into());
            }
        }
        for id in suspects {
            let Some(payload) = self.payloads.get_mut(id) else { continue };
            payload.traps += 1;
            if payload.traps >= MAX_TRAPS {
                self.set_trapping_aside(id, &trap);
            }
        }
        self.bridge = self.bridges.open()?;
        self.requests.abandon();
        self.payloads.all_wait();
        Ok(())
    }

    fn set_trapping_aside(&mut self, id: PayloadId, trap: &Trap) {
        let sender = self.payloads.get_mut(id).and_then(|payload| payload.sender.take());
        let kept = self.set_payload_aside(id, &format!("{trap}, twice; send it again with a later version"));
        if let Some(sender) = sender {
            let text = match kept {
                Some(Ok(path)) => format!("this payload cannot be translated; it is kept in {}", path.display()),
                Some(Err(lost)) => format!("this payload cannot be translated; and {lost}"),
                None => return,
            };
            let _ = sender.send(Err(Refused::SetAside(text)));
        }
    }

    /// Writes a payload to the folder of things set aside, and lets go of it.
    pub(super) fn set_payload_aside(&mut self, id: PayloadId, reason: &str) -> Option<Result<PathBuf, NotKept>> {
        let bytes = self.payloads.bytes(id).ok().flatten();
        let Some(bytes) = bytes else {
            // The journal cannot be read, and has it still at the next start.
            self.payloads.forget(id);
            return None;
        };
        let kept = self.set_aside.keep_payload(&bytes, &self.payloads.get(id)?.context, reason);
        match &kept {
            Ok(path) => {
                tracing::warn!("a payload was set aside in {}: {reason}", path.display());
                self.payloads.settle(id);
            }
            Err(error) if self.payloads.are_in_journal() => {
                tracing::error!("a payload stays in the journal: {reason}; and {error}");
                self.payloads.forget(id);
            }
            Err(lost) => {
                tracing::error!("a payload is lost: {reason}; and {lost}");
                self.payloads.forget(id);
            }
        }
        Some(kept)
    }
}
