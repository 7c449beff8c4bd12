//! What happens when a guest traps: a new one takes its place and is told every open payload again.
//!
//! Whose a trap is, `suspects` finds out. A payload with [`MAX_TRAPS`] to its name is set aside, and no other: a trap is
//! to a payload's name when it was being offered, or when the guest was told nobody else.

use std::path::PathBuf;

use tokio::time::Instant;

use super::Refused;
use super::event_loop::Driver;
use super::open_payloads::PayloadId;
use crate::exporter::Destination;
use crate::quarantine::NotKept;
use crate::wasm::{OpenBridge, OpenError, Trap};

/// How many traps a payload may have to its name before it is set aside.
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
        let told = self.payloads.told();
        let named = match (blame, told.as_slice()) {
            (Blame::One(id), _) => Some(id),
            (Blame::EveryoneTold, [alone]) => Some(*alone),
            (Blame::EveryoneTold, _) => None,
        };
        tracing::error!(
            suspects = named.map_or(told.len(), |_| 1),
            "{trap}; it is replaced, and nothing is lost. Please report this, with the payload if one is set aside"
        );
        if named.is_none() && told.is_empty() {
            self.blameless += 1;
            if self.blameless >= MAX_BLAMELESS {
                return Err(trap.into());
            }
        }
        self.suspects.accuse(named, &told);
        if let Some(payload) = named.and_then(|id| self.payloads.get_mut(id)) {
            payload.traps += 1;
            if payload.traps >= MAX_TRAPS
                && let Some(id) = named
            {
                self.set_trapping_aside(id, &trap);
            }
        }
        self.renew()
    }

    /// Opens a new guest, which is told nobody yet.
    ///
    /// # Errors
    /// No guest can be had.
    pub(super) fn renew(&mut self) -> Result<(), OpenError> {
        self.bridge = self.bridges.open()?;
        self.requests.abandon();
        self.payloads.all_wait();
        self.wakeup = Some(Instant::now());
        Ok(())
    }

    fn set_trapping_aside(&mut self, id: PayloadId, trap: &Trap) {
        let sender = self.payloads.get_mut(id).and_then(|payload| payload.sender.take());
        let kept = self.set_payload_aside(id, &format!("{trap}, twice; send it again with a later version"));
        if let Some(sender) = sender {
            let text = match kept {
                Some(Ok(path)) => format!("this payload cannot be translated; it is kept in {}", path.display()),
                Some(Err(lost)) => format!("this payload cannot be translated; and {lost}"),
                // Its bytes are in the journal, and its sender must not send them again.
                None => "this payload cannot be translated; it is kept in the journal".to_owned(),
            };
            let _ = sender.send(Err(Refused::SetAside(text)));
        }
    }

    /// Writes a payload to the folder of things set aside, and lets go of it. None: the journal has it still.
    pub(super) fn set_payload_aside(&mut self, id: PayloadId, reason: &str) -> Option<Result<PathBuf, NotKept>> {
        let bytes = self.payloads.bytes(id).ok().flatten();
        let Some(bytes) = bytes else {
            // The journal cannot be read, and has it still at the next start.
            self.payloads.forget(id);
            return None;
        };
        let kept = match self.payloads.holds_back() {
            // It would have no room either, and would be counted again each time.
            true => None,
            false => Some(self.set_aside.keep_payload(&bytes, &self.payloads.get(id)?.context, reason)),
        };
        match &kept {
            Some(Ok(path)) => {
                tracing::warn!("a payload was set aside in {}: {reason}", path.display());
                self.payloads.settle(id);
            }
            None => self.payloads.hold_back(id, reason),
            Some(Err(_)) if self.payloads.are_in_journal() => self.payloads.hold_back(id, reason),
            Some(Err(lost)) => {
                tracing::error!("a payload is lost: {reason}; and {lost}");
                self.payloads.forget(id);
            }
        }
        kept
    }
}
