//! A bridge that reads its payloads as commands: it shows what the host does when a translator refuses or traps.
//!
//! A payload's text says what happens; any other text is accepted, sent in a request of its own, and done when that is
//! answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use openinference_mlflow::exporter::Destination;
use openinference_mlflow::payload::PayloadContext;
use openinference_mlflow::wasm::{
    Accepted, Answer, Bridge, Cause, Event, Malformed, OpenBridge, OpenError, Quarantined, Rejection, Request,
    Response, Stats, Trap,
};

pub(crate) const MALFORMED: &str = "malformed";
pub(crate) const FULL: &str = "full";
pub(crate) const PARTIAL: &str = "partial";
pub(crate) const TRAP_IN_INGEST: &str = "trap in ingest";
pub(crate) const TRAP_IN_POLL: &str = "trap in poll";
pub(crate) const TRAP_IN_COMPLETE: &str = "trap in complete";
/// Its one span is quarantined when the answer comes.
pub(crate) const REFUSED: &str = "refused";
/// Traps in the first guest that sees it, and in no other.
pub(crate) const TRAP_ONCE: &str = "trap once";

/// How long the bridge asks senders to wait when it is full, in milliseconds.
pub(crate) const FULL_FOR: u32 = 2_500;

/// Opens bridges, and records how many it opened and what they ingested.
#[derive(Clone, Default)]
pub(crate) struct FakeBridges {
    pub(crate) opened: Arc<AtomicUsize>,
    pub(crate) contexts: Arc<Mutex<Vec<PayloadContext>>>,
    trapped_once: Arc<AtomicUsize>,
}

pub(crate) struct FakeBridge {
    bridges: FakeBridges,
    held: Vec<(u64, Vec<u8>)>,
    unsent: Vec<u64>,
    events: Vec<Event>,
    next: u64,
}

/// Remembers the bodies of the requests that it was asked for.
#[derive(Clone, Default)]
pub(crate) struct Inbox(pub(crate) Arc<Mutex<Vec<Vec<u8>>>>);

impl OpenBridge for FakeBridges {
    type Bridge = FakeBridge;

    fn open(&self) -> Result<FakeBridge, OpenError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(FakeBridge { bridges: self.clone(), held: vec![], unsent: vec![], events: vec![], next: 0 })
    }
}

impl FakeBridge {
    /// Whether it holds a payload whose text begins so.
    fn holds(&self, text: &str) -> bool {
        self.held.iter().any(|(_, payload)| payload.starts_with(text.as_bytes()))
    }
}

fn trap(call: &'static str) -> Trap {
    Trap { call, cause: Cause::Other("as the test wants it".to_owned()) }
}

impl Bridge for FakeBridge {
    fn ingest(
        &mut self,
        payload: &[u8],
        context: &PayloadContext,
        _now: u64,
    ) -> Result<Result<Accepted, Rejection>, Trap> {
        self.bridges.contexts.lock().unwrap().push(context.clone());
        let text = String::from_utf8_lossy(payload).into_owned();
        match text.as_str() {
            MALFORMED => {
                return Ok(Err(Rejection::Malformed(Malformed { reason: "expected something else".to_owned() })));
            }
            FULL => return Ok(Err(Rejection::Full(FULL_FOR))),
            TRAP_IN_INGEST => return Err(trap("ingest")),
            TRAP_ONCE if self.bridges.trapped_once.fetch_add(1, Ordering::SeqCst) == 0 => return Err(trap("ingest")),
            _ => {}
        }
        self.next += 1;
        self.held.push((self.next, payload.to_vec()));
        self.unsent.push(self.next);
        let rejected_spans = if text == PARTIAL { 3 } else { 0 };
        let message = if text == PARTIAL { "three have no id".to_owned() } else { String::new() };
        Ok(Ok(Accepted { receipt: self.next, spans: 1, rejected_spans, message }))
    }

    fn poll(&mut self, _now: u64) -> Result<Vec<Request>, Trap> {
        if self.holds(TRAP_IN_POLL) {
            return Err(trap("poll"));
        }
        let unsent = std::mem::take(&mut self.unsent);
        let due = self.held.iter().filter(|(receipt, _)| unsent.contains(receipt));
        let request = |(receipt, payload): &(u64, Vec<u8>)| Request {
            id: *receipt,
            method: "POST".to_owned(),
            path: "v1/traces".to_owned(),
            headers: vec![],
            body: payload.clone(),
            timeout: 1_000,
        };
        Ok(due.map(request).collect())
    }

    fn complete(&mut self, request: u64, _answer: &Answer, _now: u64) -> Result<(), Trap> {
        if self.holds(TRAP_IN_COMPLETE) {
            return Err(trap("complete"));
        }
        let refused = self.held.iter().find(|(receipt, payload)| *receipt == request && payload == REFUSED.as_bytes());
        if let Some((receipt, payload)) = refused {
            self.events.push(Event::Quarantined(Quarantined {
                trace_id: "01".repeat(16),
                span_id: "02".repeat(8),
                reason: "it answers 422".to_owned(),
                payload: payload.clone(),
                receipt: Some(*receipt),
            }));
        }
        self.held.retain(|(receipt, _)| *receipt != request);
        self.events.push(Event::Done(request));
        Ok(())
    }

    fn events(&mut self) -> Result<Vec<Event>, Trap> {
        Ok(std::mem::take(&mut self.events))
    }

    fn next_wakeup(&mut self) -> Result<Option<u64>, Trap> {
        Ok(None)
    }

    fn flush(&mut self, _now: u64) -> Result<(), Trap> {
        Ok(())
    }

    fn stats(&mut self) -> Result<Stats, Trap> {
        let open = u64::try_from(self.held.len()).unwrap();
        Ok(Stats {
            payloads: self.next,
            spans_received: self.next,
            spans_delivered: 0,
            spans_duplicate: 0,
            spans_quarantined: 0,
            repairs: 0,
            requests: 0,
            retries: 0,
            open_traces: open,
            open_spans: open,
            held_bytes: 0,
            open_receipts: open,
        })
    }
}

impl Inbox {
    /// What was delivered, as text, in an order of its own.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts: Vec<_> =
            self.0.lock().unwrap().iter().map(|body| String::from_utf8_lossy(body).into()).collect();
        texts.sort();
        texts
    }
}

impl Destination for Inbox {
    async fn perform(&self, request: Request) -> Answer {
        self.0.lock().unwrap().push(request.body);
        Answer::Response(Response { status: 200, headers: vec![], body: vec![] })
    }
}

/// An inbox that answers nobody before it is opened.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) inbox: Inbox,
    open: tokio::sync::watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn shut() -> Self {
        Self { inbox: Inbox::default(), open: tokio::sync::watch::Sender::new(false) }
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Destination for Gate {
    async fn perform(&self, request: Request) -> Answer {
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        self.inbox.perform(request).await
    }
}

/// A destination that never answers.
pub(crate) struct Silence;

impl Destination for Silence {
    async fn perform(&self, _request: Request) -> Answer {
        std::future::pending().await
    }
}
