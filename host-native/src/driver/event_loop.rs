//! The loop: payloads and answers into the bridge, requests and events out of it, and sleep in between.

use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::clock::Clock;
use super::open_payloads::{OpenPayloads, PayloadId};
use super::recovery::{Blame, Incident, Trapped};
use super::requests::Requests;
use super::suspects::Suspects;
use super::{Accepted, Command, Inputs, Left, Refused, events};
use crate::exporter::Destination;
use crate::journal::Unavailable;
use crate::quarantine::SetAsideFolder;
use crate::wasm::{Bridge, OpenBridge, Rejection, Stats};

/// The most commands that are taken before the bridge is polled again.
const BATCH: usize = 64;

/// When a payload that a new guest has no room for yet is offered to it again.
const OFFER_AGAIN: Duration = Duration::from_millis(250);

/// The shortest sleep.
const MOMENT: Duration = Duration::from_millis(1);

/// Owns the bridge and everything that belongs to it.
pub(super) struct Driver<O: OpenBridge, D> {
    pub(super) bridges: O,
    pub(super) bridge: O::Bridge,
    pub(super) payloads: OpenPayloads,
    pub(super) set_aside: SetAsideFolder,
    pub(super) requests: Requests<D>,
    pub(super) suspects: Suspects,
    /// Recoveries in a row that found nobody to blame.
    pub(super) blameless: u32,
    clock: Clock,
    inputs: Inputs,
    pub(super) wakeup: Option<Instant>,
    /// Until when the bridge is not asked whether it has room again, unless something is delivered before.
    full_until: Option<Instant>,
    draining: Option<Draining>,
    /// Whether a payload was taken since the last flush.
    unflushed: bool,
    /// Who wants to know the bridge's counters.
    asked: Vec<oneshot::Sender<Stats>>,
    /// Undelivered spans, when last counted.
    open_spans: u64,
}

struct Draining {
    deadline: Instant,
    reply: oneshot::Sender<Left>,
    flushed: bool,
}

// === impl Driver ===

impl<O: OpenBridge, D: Destination> Driver<O, D> {
    pub(super) fn new(
        bridges: O,
        bridge: O::Bridge,
        destination: D,
        set_aside: SetAsideFolder,
        payloads: OpenPayloads,
        inputs: Inputs,
        runtime: runtime::Handle,
    ) -> Self {
        Self {
            bridges,
            bridge,
            payloads,
            set_aside,
            requests: Requests::new(destination, runtime),
            suspects: Suspects::default(),
            blameless: 0,
            clock: Clock::start(),
            inputs,
            wakeup: None,
            full_until: None,
            draining: None,
            unflushed: false,
            asked: Vec::new(),
            open_spans: 0,
        }
    }

    /// Runs until everybody has let go of the handle, until everything is drained, or until no guest can be had.
    pub(super) async fn run(mut self) {
        loop {
            let recovered = match self.work() {
                Ok(()) => self.end_trial(),
                Err(incident) => self.recover(incident),
            };
            if let Err(error) = recovered {
                tracing::error!("the translator cannot be started again: {error}");
                self.open_spans = 0;
                break;
            }
            if self.drained() || !self.wait().await {
                break;
            }
        }
        self.end();
    }

    /// Tells the bridge all that is new, and does what it asks for.
    fn work(&mut self) -> Result<(), Incident> {
        for (request, answer) in self.requests.take_answers() {
            self.full_until = None;
            self.bridge.complete(request, &answer, self.clock.now()).blame(Blame::EveryoneTold)?;
        }
        match self.suspects.are_tried(&self.payloads) {
            true => self.offer_waiting()?,
            false => self.try_suspects()?,
        }
        if let Some(draining) = &mut self.draining
            && (!draining.flushed || self.unflushed)
        {
            draining.flushed = true;
            self.unflushed = false;
            self.flush()?;
        }
        self.turn(Blame::EveryoneTold)?;
        if !self.asked.is_empty() || self.draining.is_some() {
            self.take_stock()?;
        }
        let wakeup = self.bridge.next_wakeup().blame(Blame::EveryoneTold)?;
        // Not sooner than in a moment, so that a bridge that is always due does not take a whole core.
        self.wakeup = wakeup.map(|millis| self.clock.instant(millis).max(Instant::now() + MOMENT));
        let offer = self.next_offer();
        self.wakeup = [self.wakeup, offer].into_iter().flatten().min();
        self.inputs.queue.set(self.payloads.size());
        self.blameless = 0;
        Ok(())
    }

    /// When there is somebody to tell the bridge, if there is.
    fn next_offer(&self) -> Option<Instant> {
        if let Some(until) = self.suspects.on_trial_until(&self.payloads) {
            return Some(until.max(Instant::now() + MOMENT));
        }
        let any = !self.payloads.waiting().is_empty() || self.payloads.more_in_journal();
        any.then(|| self.full_until.unwrap_or_else(|| Instant::now() + MOMENT))
    }

    /// Starts the requests that are due and passes the events on.
    pub(super) fn turn(&mut self, blame: Blame) -> Result<(), Incident> {
        let requests = self.bridge.poll(self.clock.now()).blame(blame)?;
        for request in requests {
            self.requests.start(request);
        }
        let events = self.bridge.events().blame(blame)?;
        events::pass_on(events, &mut self.payloads, &self.set_aside);
        Ok(())
    }

    /// Makes the bridge do now what it would do later.
    pub(super) fn flush(&mut self) -> Result<(), Incident> {
        self.bridge.flush(self.clock.now()).blame(Blame::EveryoneTold)
    }

    fn take_stock(&mut self) -> Result<(), Incident> {
        let stats = self.bridge.stats().blame(Blame::EveryoneTold)?;
        self.open_spans = stats.open_spans;
        for reply in self.asked.drain(..) {
            // Whoever asked may have gone.
            let _ = reply.send(stats);
        }
        Ok(())
    }

    fn offer_waiting(&mut self) -> Result<(), Incident> {
        if self.payloads.are_in_journal() && self.full_until.is_some_and(|until| Instant::now() < until) {
            self.payloads.acknowledge_all();
            return Ok(());
        }
        self.full_until = None;
        let mut full = self.payloads.read_on().err().map(|Unavailable| OFFER_AGAIN);
        for id in self.payloads.waiting() {
            match full {
                None => full = self.offer(id)?,
                Some(wait) => self.refuse(id, Refused::Full(wait)),
            }
        }
        if full.is_some() {
            self.full_until = Some(Instant::now() + OFFER_AGAIN);
            self.payloads.acknowledge_all();
        }
        Ok(())
    }

    /// Offers one payload. Returns how long senders should wait when there is no room for it.
    pub(super) fn offer(&mut self, id: PayloadId) -> Result<Option<Duration>, Incident> {
        let bytes = match self.payloads.bytes(id) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                // It was given up while it waited.
                self.payloads.settle(id);
                return Ok(None);
            }
            Err(Unavailable) => return Ok(Some(OFFER_AGAIN)),
        };
        let Some(payload) = self.payloads.get(id) else { return Ok(None) };
        let offered = self.bridge.ingest(&bytes, &payload.context, self.clock.now());
        match offered.blame(Blame::One(id))? {
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

    /// Tells a payload's sender why it is not taken. A payload whose sender has its answer already, or that is in the
    /// journal, stays when there is no room for it; one whose sender has its answer is set aside when it cannot be taken
    /// at all.
    fn refuse(&mut self, id: PayloadId, refused: Refused) {
        let answered = self.payloads.get(id).is_some_and(|payload| payload.sender.is_none());
        match refused {
            Refused::Full(_) if answered || self.payloads.are_in_journal() => {}
            refused if answered => drop(self.set_payload_aside(id, &refused.to_string())),
            refused => {
                if let Some(sender) = self.payloads.withdraw(id).and_then(|payload| payload.sender) {
                    let _ = sender.send(Err(refused));
                }
            }
        }
    }

    /// Sleeps until there is something to do. False when there never will be.
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
        true
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Ingest { reply, .. } if self.draining.is_some() => drop(reply.send(Err(Refused::Stopped))),
            Command::Ingest { payload, context, reply, held } => {
                // From here on it counts as what the bridge holds.
                drop(held);
                self.payloads.keep(payload, context, reply);
            }
            Command::Stats { reply } => self.asked.push(reply),
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

    /// Says how much is left. It stays in the journal, or is set aside where there is none.
    fn end(mut self) {
        let payloads = self.payloads.count();
        let mut left = Left { payloads, spans: self.open_spans, kept: 0 };
        if self.payloads.are_in_journal() {
            left.kept = payloads;
            self.payloads.acknowledge_all();
        }
        for id in self.payloads.ids().into_iter().filter(|_| !self.payloads.are_in_journal()).collect::<Vec<_>>() {
            let kept = self.set_payload_aside(id, "the program stopped before MLflow had it; replay it");
            left.kept += usize::from(kept.is_some_and(|kept| kept.is_ok()));
        }
        if let Some(draining) = self.draining {
            let _ = draining.reply.send(left);
        }
    }
}
