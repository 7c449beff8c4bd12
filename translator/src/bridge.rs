//! The whole behaviour behind one value.

use crate::contract::{Accepted, Answer, Context, Event, Instant, Rejection, Request, Stats};
use crate::settings::{InvalidSettings, Settings};

/// Whole traces to an MLflow server, over requests that the host performs.
#[derive(Debug)]
pub struct Bridge {
    settings: Settings,
}

impl Bridge {
    /// See `open` in the contract.
    pub fn open(settings: &str) -> Result<Self, InvalidSettings> {
        Ok(Self { settings: Settings::from_json(settings)? })
    }

    /// See `ingest` in the contract.
    pub fn ingest(&mut self, payload: &[u8], context: &Context, now: Instant) -> Result<Accepted, Rejection> {
        let _ = (&self.settings, payload, context, now);
        Ok(Accepted { receipt: 0, spans: 0, rejected_spans: 0, message: String::new() })
    }

    /// See `poll` in the contract.
    pub fn poll(&mut self, _now: Instant) -> Vec<Request> {
        Vec::new()
    }

    /// See `complete` in the contract.
    pub fn complete(&mut self, _request: u64, _answer: Answer, _now: Instant) {}

    /// See `events` in the contract.
    pub fn events(&mut self) -> Vec<Event> {
        Vec::new()
    }

    /// See `next-wakeup` in the contract.
    pub fn next_wakeup(&self) -> Option<Instant> {
        None
    }

    /// See `flush` in the contract.
    pub fn flush(&mut self, _now: Instant) {}

    /// See `stats` in the contract.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
