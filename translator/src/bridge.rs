//! The bridge of the contract: payloads in, requests out, answers in.

use crate::assembly::destination::RequestedDestination;
use crate::assembly::intake::{self, IntakeItem};
use crate::assembly::trace::InsertOutcome;
use crate::contract::{Accepted, Answer, Context, Event, Instant, Rejection, Request, Stats};
use crate::delivery::Delivery;
use crate::delivery::state::BridgeState;
use crate::otlp::{Malformed, Payload};
use crate::settings::{InvalidSettings, Settings};
#[cfg(feature = "json")]
use crate::trace_json;

/// How long the bridge asks a sender to wait while it is full, in milliseconds.
const FULL_RETRY: u32 = 1_000;

/// Delivers whole traces to MLflow through requests that the host performs. It does no I/O and reads no clock.
#[derive(Debug)]
pub struct Bridge {
    state: BridgeState,
    delivery: Delivery,
    /// The latest time the host reported.
    now: Instant,
    /// Whether something changed since the last poll.
    changed: bool,
}

impl Bridge {
    /// Creates a bridge from settings: a JSON object, or an empty text for the defaults. Fails on an unknown key or a value
    /// out of range.
    pub fn open(settings: &str) -> Result<Self, InvalidSettings> {
        let settings = Settings::from_json(settings)?;
        let delivery = Delivery::new(&settings);
        Ok(Self { state: BridgeState::new(settings), delivery, now: 0, changed: false })
    }

    /// Accepts a payload and holds its spans until MLflow has them; [`Event::Done`] then returns the receipt. `now` is in
    /// milliseconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`Rejection::Malformed`] if the payload cannot be read, [`Rejection::Full`] if the bridge holds `max_bytes`.
    pub fn ingest(&mut self, payload: &[u8], context: &Context, now: Instant) -> Result<Accepted, Rejection> {
        self.advance(now);
        let size = payload.len();
        if size as u64 > self.state.settings.max_bytes {
            let expected = format!("a payload of at most {} bytes", self.state.settings.max_bytes);
            return Err(Malformed::new(&expected, size).into());
        }
        self.state.assembly.expire(&self.state.settings, self.now);
        if self.state.assembly.is_full(&self.state.settings, size) {
            return Err(Rejection::Full(FULL_RETRY));
        }
        #[cfg_attr(not(feature = "json"), expect(unused_mut, reason = "only trace JSON names an experiment itself"))]
        let mut requested = RequestedDestination::new(context);
        #[cfg(feature = "json")]
        let mut assessments = Vec::new();
        #[cfg(feature = "json")]
        if context.encoding == crate::contract::Encoding::TraceJson {
            requested.or(&RequestedDestination::experiment_name(trace_json::experiment(payload)));
            assessments = trace_json::assessments(payload);
        }
        let (body, repairs) = intake::decode(payload, context.encoding)?;
        let payload = Payload::parse(&body)?;
        let receipt = self.state.receipts.open();
        repairs.into_iter().for_each(|repair| self.state.repaired(repair));
        let mut accepted = Accepted { receipt, spans: 0, rejected_spans: 0, message: String::new() };
        for group in &payload.groups {
            intake::read_group(group, receipt, |taken| self.take(taken, &requested, &mut accepted));
        }
        #[cfg(feature = "json")]
        self.state.take_assessments(assessments, receipt, &requested, self.now);
        self.state.receipts.release(receipt);
        self.state.stats.payloads += 1;
        self.state.assembly.evict(&self.state.settings);
        Ok(accepted)
    }

    fn take(&mut self, taken: IntakeItem<'_>, requested: &RequestedDestination, accepted: &mut Accepted) {
        match taken {
            IntakeItem::Span(trace, span, mut arrival, received) => {
                accepted.spans += 1;
                self.state.stats.spans_received += 1;
                // Feedback keeps a copy of the span that carries it.
                arrival.held = Some(received.into_held());
                self.state.take_feedback((trace, span), &mut arrival, requested, self.now);
                // After its feedback, which is about another span.
                if arrival.summary.is_left_out(&self.state.settings) {
                    arrival.held = None;
                }
                let BridgeState { settings, assembly, receipts, .. } = &mut self.state;
                let outcome = assembly.insert((trace, span), arrival, requested, receipts, (settings, self.now));
                self.state.stats.spans_duplicate += u64::from(outcome != InsertOutcome::New);
            }
            IntakeItem::Repair(repair) => self.state.repaired(repair),
            IntakeItem::Quarantined(span) => {
                accepted.rejected_spans += 1;
                accepted.message.clone_from(&span.reason);
                self.state.stats.spans_received += 1;
                self.state.quarantine(span);
            }
        }
    }

    /// Returns the requests to perform now, at most `concurrency` in flight. Complete each exactly once, in any order.
    pub fn poll(&mut self, now: Instant) -> Vec<Request> {
        self.advance(now);
        self.changed = false;
        self.state.assembly.expire(&self.state.settings, self.now);
        self.delivery.poll(&mut self.state, self.now)
    }

    /// Reports the outcome of a request. Ignores an unknown id.
    pub fn complete(&mut self, request: u64, answer: &Answer, now: Instant) {
        self.advance(now);
        self.delivery.complete(&mut self.state, request, answer, self.now);
    }

    /// Returns what happened since the last call, in order.
    pub fn events(&mut self) -> Vec<Event> {
        self.state.take_events()
    }

    /// When [`Bridge::poll`] will next return a request if nothing else happens, in milliseconds since the Unix epoch.
    /// `None`: not before the next `ingest` or `complete`.
    pub fn next_wakeup(&self) -> Option<Instant> {
        if self.changed {
            return Some(self.now);
        }
        let due = self.state.assembly.next_due(self.now);
        [due, self.delivery.next_retry(self.now)].into_iter().flatten().min()
    }

    /// Sends everything at the next [`Bridge::poll`], finished traces or not, and retries now what waits for a retry.
    pub fn flush(&mut self, now: Instant) {
        self.advance(now);
        self.state.assembly.flush_all(&self.state.settings);
        self.delivery.retry_now(self.now);
    }

    /// Returns the counters and gauges.
    pub fn stats(&self) -> Stats {
        Stats {
            open_traces: self.state.assembly.open_traces() as u64,
            open_spans: self.state.assembly.unsent() as u64,
            held_bytes: self.state.assembly.bytes() as u64,
            open_receipts: self.state.receipts.open_count() as u64,
            ..self.state.stats
        }
    }

    /// Moves time forward, never backwards, and marks the state as changed.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.changed = true;
    }
}
