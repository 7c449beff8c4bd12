//! The event loop: passes payloads and answers to the bridge, performs its requests, dispatches its events, and sleeps.

use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::in_flight::InFlight;
use super::open_payloads::{OpenPayloads, PayloadId};
use super::suspect_payloads::SuspectPayloads;
use super::trap_cause::{AttributeTrap, AttributedTrap, TrapCause};
use super::{Accepted, Command, Inputs, Loan, Refused, Undelivered, events};
use crate::exporter::Destination;
use crate::journal::Unavailable;
use crate::quarantine::Quarantine;
use crate::wasm::{Bridge, OpenBridge, Rejection, Stats};

/// The most commands to take before the bridge is polled again.
const BATCH: usize = 64;

/// The delay before a full bridge is offered a payload again.
const INGEST_RETRY_DELAY: Duration = Duration::from_millis(250);

/// The shortest sleep.
const MIN_SLEEP: Duration = Duration::from_millis(1);

/// Owns the bridge and all of its state.
pub(super) struct Driver<O: OpenBridge, D> {
    pub(super) bridges: O,
    pub(super) bridge: O::Bridge,
    pub(super) payloads: OpenPayloads,
    pub(super) quarantine: Quarantine,
    pub(super) requests: InFlight<D>,
    pub(super) suspects: SuspectPayloads,
    /// Consecutive traps that no payload can have caused.
    pub(super) unattributed_traps: u32,
    clock: Clock,
    inputs: Inputs,
    pub(super) wakeup: Option<Instant>,
    /// The bridge is full: offer it nothing before this time, unless a request completes.
    full_until: Option<Instant>,
    draining: Option<Draining>,
    /// Whether a payload was ingested since the last flush.
    unflushed: bool,
    /// Whether a source wants its payloads delivered now.
    flush_due: bool,
    /// Callers that wait for the counters.
    stats_waiters: Vec<oneshot::Sender<Stats>>,
    /// Undelivered spans at the last count.
    open_spans: u64,
}

struct Draining {
    deadline: Instant,
    reply: oneshot::Sender<Undelivered>,
    flushed: bool,
}

// === impl Driver ===

impl<O: OpenBridge, D: Destination> Driver<O, D> {
    pub(super) fn new(
        bridges: O,
        bridge: O::Bridge,
        destination: D,
        quarantine: Quarantine,
        payloads: OpenPayloads,
        inputs: Inputs,
        runtime: runtime::Handle,
    ) -> Self {
        Self {
            bridges,
            bridge,
            payloads,
            quarantine,
            requests: InFlight::new(destination, runtime),
            suspects: SuspectPayloads::default(),
            unattributed_traps: 0,
            clock: Clock::start(),
            inputs,
            wakeup: None,
            full_until: None,
            draining: None,
            unflushed: false,
            flush_due: false,
            stats_waiters: Vec::new(),
            open_spans: 0,
        }
    }

    /// Runs until the last handle is dropped, until everything is drained, or until no instance can be opened.
    pub(super) async fn run(mut self) {
        loop {
            let recovered = match self.work() {
                Ok(()) => self.end_retry(),
                Err(trap) => self.recover(trap),
            };
            if let Err(error) = recovered {
                tracing::error!("failed to restart the translator: {error}");
                self.open_spans = 0;
                break;
            }
            if self.drained() || !self.wait().await {
                break;
            }
        }
        self.end();
    }

    /// Passes everything new to the bridge and starts its requests.
    fn work(&mut self) -> Result<(), AttributedTrap> {
        for (request, answer) in self.requests.take_answers() {
            self.full_until = None;
            self.bridge.complete(request, &answer, self.clock.now()).attribute(TrapCause::AnyIngested)?;
        }
        match self.suspects.is_empty_after_prune(&self.payloads) {
            true => self.ingest_waiting()?,
            false => self.retry_suspects()?,
        }
        if let Some(draining) = &mut self.draining
            && (!draining.flushed || self.unflushed)
        {
            draining.flushed = true;
            self.unflushed = false;
            self.flush()?;
        }
        if std::mem::take(&mut self.flush_due) {
            self.flush()?;
        }
        self.poll_once(TrapCause::AnyIngested)?;
        if !self.stats_waiters.is_empty() || self.draining.is_some() {
            self.collect_stats()?;
        }
        let wakeup = self.bridge.next_wakeup().attribute(TrapCause::AnyIngested)?;
        // At least `MIN_SLEEP`, so that a bridge that is always due does not use a whole core.
        self.wakeup = wakeup.map(|millis| self.clock.instant(millis).max(Instant::now() + MIN_SLEEP));
        let offer = self.next_ingest();
        self.wakeup = [self.wakeup, offer].into_iter().flatten().min();
        self.inputs.queue.set(self.payloads.size());
        self.unattributed_traps = 0;
        Ok(())
    }

    /// When to offer the next payload, if any.
    fn next_ingest(&self) -> Option<Instant> {
        if let Some(until) = self.suspects.retry_ends_at(&self.payloads) {
            return Some(until.max(Instant::now() + MIN_SLEEP));
        }
        let any = !self.payloads.waiting().is_empty() || self.payloads.has_unread_journal();
        any.then(|| self.full_until.unwrap_or_else(|| Instant::now() + MIN_SLEEP))
    }

    /// Starts due requests and dispatches events.
    pub(super) fn poll_once(&mut self, cause: TrapCause) -> Result<(), AttributedTrap> {
        let requests = self.bridge.poll(self.clock.now()).attribute(cause)?;
        for request in requests {
            self.requests.start(request);
        }
        let events = self.bridge.events().attribute(cause)?;
        events::dispatch(events, &mut self.payloads, &self.quarantine);
        Ok(())
    }

    /// Makes the bridge do now what it would do later.
    pub(super) fn flush(&mut self) -> Result<(), AttributedTrap> {
        self.bridge.flush(self.clock.now()).attribute(TrapCause::AnyIngested)
    }

    fn collect_stats(&mut self) -> Result<(), AttributedTrap> {
        let stats = self.bridge.stats().attribute(TrapCause::AnyIngested)?;
        self.open_spans = stats.open_spans;
        for reply in self.stats_waiters.drain(..) {
            // The caller may be gone.
            let _ = reply.send(stats);
        }
        Ok(())
    }

    fn ingest_waiting(&mut self) -> Result<(), AttributedTrap> {
        if self.payloads.uses_journal() && self.full_until.is_some_and(|until| Instant::now() < until) {
            self.payloads.acknowledge_all();
            return Ok(());
        }
        self.full_until = None;
        self.payloads.drop_withdrawn();
        let mut full = self.payloads.read_journal().err().map(|Unavailable| INGEST_RETRY_DELAY);
        for id in self.payloads.waiting() {
            match full {
                None => full = self.ingest(id)?,
                Some(wait) => self.refuse(id, Refused::Full(wait)),
            }
        }
        if full.is_some() {
            self.full_until = Some(Instant::now() + INGEST_RETRY_DELAY);
            self.payloads.acknowledge_all();
        }
        Ok(())
    }

    /// Offers one payload. If the bridge is full, returns how long senders should wait.
    pub(super) fn ingest(&mut self, id: PayloadId) -> Result<Option<Duration>, AttributedTrap> {
        let bytes = match self.payloads.bytes(id) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                // It was delivered or discarded while it waited.
                drop(self.payloads.mark_delivered(id));
                return Ok(None);
            }
            Err(Unavailable) => return Ok(Some(INGEST_RETRY_DELAY)),
        };
        let Some(payload) = self.payloads.get(id) else { return Ok(None) };
        let offered = self.bridge.ingest(&bytes, &payload.context, self.clock.now());
        match offered.attribute(TrapCause::Payload(id))? {
            Ok(accepted) => {
                self.unflushed = true;
                if let Some((sender, done)) = self.payloads.taken(id, accepted.receipt) {
                    let accepted = Accepted {
                        spans: accepted.spans,
                        rejected_spans: accepted.rejected_spans,
                        message: accepted.message,
                        done,
                    };
                    // A sender that did not wait for the answer will send again; repetition is harmless.
                    let _ = sender.send(Ok(accepted));
                }
                Ok(None)
            }
            Err(Rejection::Full(millis)) => {
                let wait = Duration::from_millis(millis.into());
                self.refuse(id, Refused::Full(wait));
                Ok(Some(wait))
            }
            Err(Rejection::Malformed(malformed)) => {
                self.refuse(id, Refused::Malformed(malformed.reason));
                Ok(None)
            }
        }
    }

    /// Answers the sender of a refused payload. If the bridge is full, a payload in the journal, or one whose sender
    /// was answered already, stays. An unusable payload whose sender was answered already is quarantined.
    fn refuse(&mut self, id: PayloadId, refused: Refused) {
        let answered = self.payloads.get(id).is_some_and(|payload| payload.sender.is_none());
        match refused {
            Refused::Full(_) if answered || self.payloads.uses_journal() => {}
            refused if answered => drop(self.quarantine_payload(id, &refused.to_string())),
            refused => {
                if let Some(sender) = self.payloads.discard(id).and_then(|payload| payload.sender) {
                    let _ = sender.send(Err(refused));
                }
            }
        }
    }

    /// Sleeps until there is work. Returns false when there will be none.
    async fn wait(&mut self) -> bool {
        let deadline = self.draining.as_ref().map(|draining| draining.deadline);
        let until = [self.wakeup, deadline].into_iter().flatten().min();
        tokio::select! {
            () = self.requests.next() => {}
            command = self.inputs.commands.recv() => match command {
                Some(command) => self.command(command),
                None => return false,
            },
            Some(written) = self.inputs.written.recv() => self.payloads.written(written.id, written.reply),
            Some(loan) = self.inputs.loans.recv() => self.borrow(loan),
            () = async { sleep_until(until.unwrap_or_else(Instant::now)).await }, if until.is_some() => {}
        }
        self.requests.collect_finished();
        for _ in 0..BATCH {
            let Ok(command) = self.inputs.commands.try_recv() else { break };
            self.command(command);
        }
        while let Ok(written) = self.inputs.written.try_recv() {
            self.payloads.written(written.id, written.reply);
        }
        while let Ok(loan) = self.inputs.loans.try_recv() {
            self.borrow(loan);
        }
        true
    }

    /// Takes a payload that its source keeps, unless the gateway is stopping.
    fn borrow(&mut self, loan: Loan) {
        if self.draining.is_none() {
            self.payloads.borrow(loan);
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Ingest { reply, .. } if self.draining.is_some() => drop(reply.send(Err(Refused::Stopped))),
            Command::Ingest { payload, context, reply, reservation } => {
                // The memory limit of the bridge covers it from here on.
                drop(reservation);
                self.payloads.keep(payload, context, reply);
            }
            Command::Flush => self.flush_due = true,
            Command::Stats { reply } => self.stats_waiters.push(reply),
            Command::Drain { deadline, reply } => {
                self.draining = Some(Draining { deadline, reply, flushed: false });
            }
        }
    }

    fn drained(&self) -> bool {
        self.draining.as_ref().is_some_and(|draining| {
            draining.flushed && (self.payloads.is_empty() || Instant::now() >= draining.deadline)
        })
    }

    /// Reports what is undelivered. It stays in the journal; without a journal it is quarantined.
    fn end(mut self) {
        let payloads = self.payloads.count();
        let mut left = Undelivered { payloads, spans: self.open_spans, kept: 0 };
        if self.payloads.uses_journal() {
            left.kept = payloads;
            self.payloads.acknowledge_all();
        }
        for id in self.payloads.in_memory_only() {
            let kept = self.quarantine_payload(id, "the gateway stopped before MLflow had it; replay it");
            left.kept += usize::from(kept.is_some_and(|kept| kept.is_ok()));
        }
        if let Some(draining) = self.draining {
            let _ = draining.reply.send(left);
        }
    }
}
