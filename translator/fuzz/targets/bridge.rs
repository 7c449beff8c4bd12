//! The bridge: whatever happens, it never panics, its counters add up, each receipt is done once, and with a healthy
//! server all of them are.
#![no_main]

use std::collections::BTreeSet;

use fuzzed::scenario::{self, Scenario, Step};
use fuzzed::server::Server;
use libfuzzer_sys::fuzz_target;
use openinference_mlflow_translator::Bridge;
use openinference_mlflow_translator::contract::{Answer, Encoding, Event, Rejection, Request};
use openinference_mlflow_translator::otlp::Payload;

/// A host that checks the bridge at every step.
struct Host {
    bridge: Bridge,
    server: Server,
    now: u64,
    under_way: Vec<Request>,
    concurrency: usize,
    /// Every id a request had.
    requested: BTreeSet<u64>,
    accepted: BTreeSet<u64>,
    done: BTreeSet<u64>,
    /// The spans that were taken, and those that a server has acknowledged or that were quarantined.
    taken: BTreeSet<SpanKey>,
    settled: BTreeSet<SpanKey>,
    spans: u64,
    quarantined: u64,
    repairs: u64,
}

/// A trace id and a span id, in hexadecimal.
type SpanKey = (String, String);

fn span_keys(payload: &[u8]) -> BTreeSet<SpanKey> {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect();
    let payload = Payload::parse(payload).expect("a payload");
    let spans = payload.groups.iter().flat_map(|group| &group.spans);
    spans.map(|span| (hex(span.trace_id), hex(span.span_id))).collect()
}

impl Host {
    fn ingest(&mut self, step: &Step) {
        let Some((body, context)) = scenario::payload(step) else { return };
        let before = self.bridge.stats();
        match self.bridge.ingest(&body, &context, self.now) {
            Ok(accepted) => {
                assert!(self.accepted.insert(accepted.receipt), "a receipt given twice");
                assert_eq!(accepted.rejected_spans == 0, accepted.message.is_empty(), "{accepted:?}");
                self.spans += u64::from(accepted.spans) + u64::from(accepted.rejected_spans);
                if context.encoding == Encoding::Protobuf {
                    self.taken.extend(span_keys(&body));
                }
            }
            Err(rejection) => {
                let after = self.bridge.stats();
                assert_eq!(after.payloads, before.payloads, "something was kept of {rejection:?}");
                assert_eq!(after.spans_received, before.spans_received, "something was kept of {rejection:?}");
                assert!(!matches!(rejection, Rejection::Full(0)), "no time to wait");
            }
        }
    }

    fn poll(&mut self) {
        for request in self.bridge.poll(self.now) {
            assert!(self.requested.insert(request.id), "a request handed out twice");
            assert!(!request.path.starts_with('/'), "{}", request.path);
            assert!(request.timeout > 0);
            self.under_way.push(request);
        }
        assert!(self.under_way.len() <= self.concurrency, "{} requests at once", self.under_way.len());
        assert_eq!(self.bridge.poll(self.now), [], "requests at a second poll");
        if let Some(wakeup) = self.bridge.next_wakeup() {
            assert!(wakeup > self.now, "the host would spin: woken for {wakeup} at {}", self.now);
        }
    }

    fn complete(&mut self, which: usize, answer: Option<Answer>) {
        if self.under_way.is_empty() {
            return;
        }
        let request = self.under_way.swap_remove(which % self.under_way.len());
        let answer = answer.unwrap_or_else(|| self.server.answer(&request));
        self.bridge.complete(request.id, &answer, self.now);
        if request.path == "v1/traces" && matches!(&answer, Answer::Response(response) if response.status == 200) {
            self.settled.extend(span_keys(&request.body));
        }
        // Completing it once more changes nothing.
        let stats = self.bridge.stats();
        self.bridge.complete(request.id, &answer, self.now);
        assert_eq!(self.bridge.stats(), stats);
    }

    fn check(&mut self) {
        for event in self.bridge.events() {
            match event {
                Event::Done(receipt) => {
                    assert!(self.accepted.contains(&receipt), "done, but never given: {receipt}");
                    assert!(self.done.insert(receipt), "done twice: {receipt}");
                }
                Event::Repaired(_) => self.repairs += 1,
                Event::Quarantined(span) => {
                    assert!(!span.reason.is_empty() && !span.payload.is_empty());
                    self.quarantined += 1;
                    self.settled.insert((span.trace_id, span.span_id));
                }
                Event::Notice(notice) => assert!(!notice.message.contains('\n'), "{}", notice.message),
            }
        }
        let stats = self.bridge.stats();
        assert_eq!(stats.payloads, self.accepted.len() as u64);
        assert_eq!(stats.spans_received, self.spans);
        assert_eq!(stats.spans_quarantined, self.quarantined);
        assert_eq!(stats.repairs, self.repairs);
        assert_eq!(stats.requests, self.requested.len() as u64);
        assert_eq!(stats.open_receipts, (self.accepted.len() - self.done.len()) as u64);
        assert!(stats.open_spans >= stats.open_traces, "{stats:?}");
    }

    /// With a healthy server everything is delivered, however long it takes.
    fn drain(&mut self) {
        self.bridge.flush(self.now);
        for _ in 0..10_000 {
            self.poll();
            while !self.under_way.is_empty() {
                self.complete(0, None);
            }
            self.check();
            match self.bridge.next_wakeup() {
                _ if self.accepted.len() == self.done.len() => return,
                Some(wakeup) => self.now = self.now.max(wakeup),
                None => panic!("receipts are open, and nothing will happen: {:?}", self.bridge.stats()),
            }
        }
        panic!("receipts stay open: {:?}", self.bridge.stats());
    }
}

fuzz_target!(|scenario: Scenario| {
    let Scenario { settings, steps } = scenario;
    let mut host = Host {
        bridge: Bridge::open(&settings.json()).expect("the settings are within their ranges"),
        server: Server::default(),
        now: 1_795_330_312_000,
        under_way: Vec::new(),
        concurrency: settings.concurrency(),
        requested: BTreeSet::new(),
        accepted: BTreeSet::new(),
        done: BTreeSet::new(),
        taken: BTreeSet::new(),
        settled: BTreeSet::new(),
        spans: 0,
        quarantined: 0,
        repairs: 0,
    };
    for step in steps {
        host.ingest(&step);
        match step {
            Step::Poll => host.poll(),
            Step::Answer { request, answer } => host.complete(usize::from(request), answer.answer()),
            Step::Stray(id) if !host.requested.contains(&id) => {
                host.bridge.complete(id, &Answer::NoAnswer(String::new()), host.now);
            }
            Step::Pass(milliseconds) => host.now += u64::from(milliseconds),
            Step::Back(milliseconds) => {
                let earlier = host.now.saturating_sub(milliseconds.into());
                host.under_way.extend(host.bridge.poll(earlier).into_iter().inspect(|request| {
                    assert!(host.requested.insert(request.id), "a request handed out twice");
                }));
            }
            Step::Flush => host.bridge.flush(host.now),
            Step::Spans { .. } | Step::Bytes { .. } | Step::Stray(_) => {}
        }
        host.check();
    }
    host.drain();
    let stats = host.bridge.stats();
    assert_eq!((stats.open_spans, stats.open_traces, stats.open_receipts), (0, 0, 0));
    // A span whose feedback alone was quarantined counts as delivered, too.
    assert!(stats.spans_delivered + stats.spans_duplicate <= stats.spans_received, "{stats:?}");
    if !settings.local && !settings.openinference_only {
        let lost: Vec<_> = host.taken.difference(&host.settled).collect();
        assert!(lost.is_empty(), "neither delivered nor quarantined: {lost:?}");
    }
});
