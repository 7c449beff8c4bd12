//! A host in miniature: performs requests against the model at once, and lets time pass to the next wake-up.

use std::collections::BTreeSet;

use openinference_mlflow_translator::Bridge;
use openinference_mlflow_translator::contract::{Accepted, Context, Event, Notice, Quarantined, Receipt};

use crate::model::Model;

/// When the tests' hosts start, in milliseconds.
const START: u64 = 1_700_000_100_000;

pub(crate) struct Host {
    pub(crate) bridge: Bridge,
    pub(crate) server: Model,
    pub(crate) now: u64,
    pub(crate) done: BTreeSet<Receipt>,
    pub(crate) quarantined: Vec<Quarantined>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) repairs: Vec<String>,
}

impl Host {
    pub(crate) fn new(settings: &str) -> Self {
        Self {
            bridge: Bridge::open(settings).unwrap(),
            server: Model::new(),
            now: START,
            done: BTreeSet::new(),
            quarantined: Vec::new(),
            notices: Vec::new(),
            repairs: Vec::new(),
        }
    }

    pub(crate) fn ingest(&mut self, payload: &[u8]) -> Accepted {
        self.ingest_for(payload, &Context::default())
    }

    pub(crate) fn ingest_for(&mut self, payload: &[u8], context: &Context) -> Accepted {
        let accepted = self.bridge.ingest(payload, context, self.now).unwrap();
        self.listen();
        accepted
    }

    /// Performs what is to be done now. Returns whether anything was.
    pub(crate) fn step(&mut self) -> bool {
        let requests = self.bridge.poll(self.now);
        assert!(self.bridge.poll(self.now).is_empty(), "a poll left requests for another one");
        for request in &requests {
            let answer = self.server.answer(request);
            self.bridge.complete(request.id, &answer, self.now);
            self.listen();
        }
        self.listen();
        !requests.is_empty()
    }

    /// Lets so many milliseconds pass, doing what comes up.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        let mut steps = 0;
        loop {
            while self.step() {
                steps += 1;
                assert!(steps < 10_000, "the bridge never rests");
            }
            match self.bridge.next_wakeup() {
                Some(at) if at <= end => {
                    assert!(at > self.now, "a wake-up at {at} is not after {}", self.now);
                    self.now = at;
                    steps += 1;
                    assert!(steps < 10_000, "the bridge wakes for nothing");
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// Lets everything come to its end: traces settle, parts go, idle ones are closed.
    pub(crate) fn finish(&mut self) {
        self.pass(3_000_000);
    }

    pub(crate) fn topics(&self) -> Vec<&'static str> {
        self.notices.iter().map(|notice| notice.topic).collect()
    }

    fn listen(&mut self) {
        for event in self.bridge.events() {
            match event {
                Event::Done(receipt) => assert!(self.done.insert(receipt), "receipt {receipt} was done twice"),
                Event::Quarantined(span) => self.quarantined.push(span),
                Event::Notice(notice) => self.notices.push(notice),
                Event::Repaired(repair) => self.repairs.push(repair.rule.to_owned()),
            }
        }
    }
}
