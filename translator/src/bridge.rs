//! The whole behaviour behind one value: what the contract calls `bridge`.

use crate::assembly::intake::{self, Taken};
use crate::assembly::route::Wish;
use crate::assembly::trace::Arrived;
use crate::contract::{Accepted, Answer, Context, Event, Instant, Rejection, Request, Stats};
use crate::delivery::Delivery;
use crate::delivery::desk::Desk;
#[cfg(feature = "json")]
use crate::mlflow::trace_json;
use crate::otlp::{Malformed, Payload};
use crate::settings::{InvalidSettings, Settings};

/// How long a sender is told to wait while the bridge is full, in milliseconds.
const FULL_RETRY: u32 = 1_000;

/// Whole traces to an MLflow server, over requests that the host performs. Each method is documented in the contract.
#[derive(Debug)]
pub struct Bridge {
    desk: Desk,
    delivery: Delivery,
    /// The last time told.
    now: Instant,
    /// Whether something changed since the last poll.
    changed: bool,
}

impl Bridge {
    /// See `open` in the contract.
    pub fn open(settings: &str) -> Result<Self, InvalidSettings> {
        let settings = Settings::from_json(settings)?;
        let delivery = Delivery::new(&settings);
        Ok(Self { desk: Desk::new(settings), delivery, now: 0, changed: false })
    }

    /// See `ingest` in the contract.
    pub fn ingest(&mut self, payload: &[u8], context: &Context, now: Instant) -> Result<Accepted, Rejection> {
        self.tell(now);
        let size = payload.len();
        if size as u64 > self.desk.settings.max_bytes {
            let expected = format!("a payload of at most {} bytes", self.desk.settings.max_bytes);
            return Err(Malformed::new(&expected, size).into());
        }
        self.desk.assembly.forget(&self.desk.settings, self.now);
        if self.desk.assembly.is_full(&self.desk.settings, size) {
            return Err(Rejection::Full(FULL_RETRY));
        }
        #[cfg_attr(not(feature = "json"), expect(unused_mut, reason = "only trace JSON names an experiment itself"))]
        let mut wish = Wish::new(context);
        #[cfg(feature = "json")]
        let mut assessments = Vec::new();
        #[cfg(feature = "json")]
        if context.encoding == crate::contract::Encoding::TraceJson {
            wish.or(&Wish::experiment_name(trace_json::experiment(payload)));
            assessments = trace_json::assessments(payload);
        }
        let (body, repairs) = intake::decode(payload, context.encoding)?;
        let payload = Payload::parse(&body)?;
        let receipt = self.desk.receipts.open();
        repairs.into_iter().for_each(|repair| self.desk.repaired(repair));
        let mut accepted = Accepted { receipt, spans: 0, rejected_spans: 0, message: String::new() };
        for group in &payload.groups {
            intake::take_group(group, receipt, |taken| self.take(taken, &wish, &mut accepted));
        }
        #[cfg(feature = "json")]
        self.desk.take_assessments(assessments, receipt, &wish, self.now);
        self.desk.receipts.release(receipt);
        self.desk.stats.payloads += 1;
        self.desk.assembly.relieve(&self.desk.settings);
        Ok(accepted)
    }

    fn take(&mut self, taken: Taken, wish: &Wish, accepted: &mut Accepted) {
        match taken {
            Taken::Span(trace, span, mut arrival) => {
                accepted.spans += 1;
                self.desk.stats.spans_received += 1;
                if self.desk.settings.openinference_only && !arrival.outline.openinference {
                    arrival.held = None;
                }
                self.desk.take_feedback((trace, span), &mut arrival, wish, self.now);
                let Desk { settings, assembly, receipts, .. } = &mut self.desk;
                let arrived = assembly.insert((trace, span), arrival, wish, receipts, (settings, self.now));
                self.desk.stats.spans_duplicate += u64::from(arrived != Arrived::New);
            }
            Taken::Repair(repair) => self.desk.repaired(repair),
            Taken::Quarantined(span) => {
                accepted.rejected_spans += 1;
                accepted.message.clone_from(&span.reason);
                self.desk.stats.spans_received += 1;
                self.desk.quarantine(span);
            }
        }
    }

    /// See `poll` in the contract.
    pub fn poll(&mut self, now: Instant) -> Vec<Request> {
        self.tell(now);
        self.changed = false;
        self.desk.assembly.forget(&self.desk.settings, self.now);
        self.delivery.poll(&mut self.desk, self.now)
    }

    /// See `complete` in the contract.
    pub fn complete(&mut self, request: u64, answer: &Answer, now: Instant) {
        self.tell(now);
        self.delivery.complete(&mut self.desk, request, answer, self.now);
    }

    /// See `events` in the contract.
    pub fn events(&mut self) -> Vec<Event> {
        self.desk.take_events()
    }

    /// See `next-wakeup` in the contract.
    pub fn next_wakeup(&self) -> Option<Instant> {
        if self.changed {
            return Some(self.now);
        }
        let due = self.desk.assembly.next_due(self.now);
        [due, self.delivery.next_retry(self.now)].into_iter().flatten().min()
    }

    /// See `flush` in the contract.
    pub fn flush(&mut self, now: Instant) {
        self.tell(now);
        self.desk.assembly.rush(&self.desk.settings);
        self.delivery.hurry(self.now);
    }

    /// See `stats` in the contract.
    pub fn stats(&self) -> Stats {
        Stats {
            open_traces: self.desk.assembly.open_traces() as u64,
            open_spans: self.desk.assembly.unsent() as u64,
            held_bytes: self.desk.assembly.bytes() as u64,
            open_receipts: self.desk.receipts.open_count() as u64,
            ..self.desk.stats
        }
    }

    /// Time passes, and something changed: it never runs backwards, whatever the host says.
    fn tell(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.changed = true;
    }
}
