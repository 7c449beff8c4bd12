//! Recovery from a trap: a new instance ingests all open payloads again.
//!
//! `suspect_payloads` finds the payload that caused the trap. A payload that caused [`MAX_TRAPS`] is quarantined, and no other
//! is. A payload caused a trap if it was being ingested, or if the instance had ingested no other payload.

use std::path::PathBuf;

use tokio::time::Instant;

use super::Refused;
use super::event_loop::Driver;
use super::open_payloads::PayloadId;
use super::trap_cause::{AttributedTrap, TrapCause};
use crate::exporter::Destination;
use crate::quarantine::QuarantineError;
use crate::wasm::{OpenBridge, OpenError, Trap};

/// The number of traps after which a payload is quarantined.
const MAX_TRAPS: u32 = 2;

/// The number of consecutive traps of empty instances after which the gateway gives up.
const MAX_UNATTRIBUTED: u32 = 3;

impl<O: OpenBridge, D: Destination> Driver<O, D> {
    /// Replaces the instance after a trap.
    ///
    /// # Errors
    /// No instance can be opened, or empty instances trap.
    pub(super) fn recover(&mut self, trap: AttributedTrap) -> Result<(), OpenError> {
        let AttributedTrap { trap, cause } = trap;
        let ingested = self.payloads.ingested();
        let named = match (cause, ingested.as_slice()) {
            (TrapCause::Payload(id), _) => Some(id),
            (TrapCause::AnyIngested, [alone]) => Some(*alone),
            (TrapCause::AnyIngested, _) => None,
        };
        tracing::error!(
            suspects = named.map_or(ingested.len(), |_| 1),
            "{trap}; starting a new instance, no data is lost. Please report this, with the payload if it is quarantined"
        );
        if named.is_none() && ingested.is_empty() {
            self.unattributed_traps += 1;
            if self.unattributed_traps >= MAX_UNATTRIBUTED {
                return Err(trap.into());
            }
        }
        self.suspects.split(named, &ingested);
        if let Some(payload) = named.and_then(|id| self.payloads.get_mut(id)) {
            payload.traps += 1;
            if payload.traps >= MAX_TRAPS
                && let Some(id) = named
            {
                self.quarantine_trapping(id, &trap);
            }
        }
        self.replace_instance()
    }

    /// Opens a new, empty instance.
    ///
    /// # Errors
    /// No instance can be opened.
    pub(super) fn replace_instance(&mut self) -> Result<(), OpenError> {
        self.bridge = self.bridges.open()?;
        self.requests.cancel_all();
        self.payloads.reset_ingested();
        self.wakeup = Some(Instant::now());
        Ok(())
    }

    fn quarantine_trapping(&mut self, id: PayloadId, trap: &Trap) {
        let sender = self.payloads.get_mut(id).and_then(|payload| payload.sender.take());
        let kept = self.quarantine_payload(id, &format!("{trap}, twice; replay it with a later version"));
        if let Some(sender) = sender {
            let text = match kept {
                Some(Ok(path)) => format!("this payload cannot be translated; it is quarantined in {}", path.display()),
                Some(Err(lost)) => format!("this payload cannot be translated, and is lost: {lost}"),
                // The bytes are in the journal, so the sender must not send them again.
                None => "this payload cannot be translated; it is kept in the journal".to_owned(),
            };
            let _ = sender.send(Err(Refused::Quarantined(text)));
        }
    }

    /// Quarantines a payload and removes it. None: the journal still has it, or its source has it back.
    pub(super) fn quarantine_payload(
        &mut self,
        id: PayloadId,
        reason: &str,
    ) -> Option<Result<PathBuf, QuarantineError>> {
        if self.payloads.give_back(id, reason) {
            return None;
        }
        let bytes = self.payloads.bytes(id).ok().flatten();
        let Some(bytes) = bytes else {
            // The journal cannot be read now. The payload is delivered after the next start.
            self.payloads.evict(id);
            return None;
        };
        let kept = match self.payloads.has_pending_quarantine() {
            // The quarantine has no space for it either, and counting again takes time.
            true => None,
            false => Some(self.quarantine.keep_payload(&bytes, &self.payloads.get(id)?.context, reason)),
        };
        match &kept {
            Some(Ok(path)) => {
                tracing::warn!("quarantined a payload in {}: {reason}", path.display());
                // Its sender does not wait for a delivery any more.
                drop(self.payloads.mark_delivered(id));
            }
            None => self.payloads.mark_for_quarantine(id, reason),
            Some(Err(_)) if self.payloads.uses_journal() => self.payloads.mark_for_quarantine(id, reason),
            Some(Err(lost)) => {
                tracing::error!("lost a payload: {reason}; {lost}");
                self.payloads.evict(id);
            }
        }
        kept
    }

    /// Starts the next retry, unless one is running. The instance is empty.
    pub(super) fn retry_suspects(&mut self) -> Result<(), AttributedTrap> {
        if let Some(group) = self.suspects.start_retry(&self.payloads) {
            for id in group {
                if self.ingest(id)?.is_some() {
                    self.suspects.divide_at(id);
                    break;
                }
            }
            self.flush()?;
            self.poll_once(TrapCause::AnyIngested)?;
        }
        // Senders do not wait for a retry.
        self.payloads.acknowledge_all();
        Ok(())
    }

    /// Ends the current retry when its time is up. The next instance is empty again.
    ///
    /// # Errors
    /// No instance can be opened.
    pub(super) fn end_retry(&mut self) -> Result<(), OpenError> {
        if self.suspects.retry_ends_at(&self.payloads).is_none_or(|until| Instant::now() < until) {
            return Ok(());
        }
        self.suspects.end_retry();
        match self.payloads.ingested().is_empty() {
            true => {
                self.wakeup = Some(Instant::now());
                Ok(())
            }
            false => self.replace_instance(),
        }
    }
}
