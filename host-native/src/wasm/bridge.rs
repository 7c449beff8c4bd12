//! A bridge that lives in a guest, behind a trait, so that what drives it can be tried with a bridge that misbehaves.

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, Store};

use super::bindings::{Accepted, Answer, Context, Event, Instance, Rejection, Request, Stats};
use super::engine::Translator;
use super::limits::{CALL_TICKS, Limiter, MemoryLimit};
use super::trap::Trap;

/// `delivery.bridge` of the contract, where each call may trap. After a trap no other call is made.
///
/// Times are milliseconds since the Unix epoch and never run backwards.
#[allow(missing_docs, reason = "the contract documents them")]
pub trait Bridge: Send {
    fn ingest(&mut self, payload: &[u8], context: &Context, now: u64) -> Result<Result<Accepted, Rejection>, Trap>;
    fn poll(&mut self, now: u64) -> Result<Vec<Request>, Trap>;
    fn complete(&mut self, request: u64, answer: &Answer, now: u64) -> Result<(), Trap>;
    fn events(&mut self) -> Result<Vec<Event>, Trap>;
    fn next_wakeup(&mut self) -> Result<Option<u64>, Trap>;
    fn flush(&mut self, now: u64) -> Result<(), Trap>;
    fn stats(&mut self) -> Result<Stats, Trap>;
}

/// Makes bridges: the first, and the successors of those that trapped.
pub trait OpenBridge: Send {
    /// What is made.
    type Bridge: Bridge;

    /// A bridge that holds nothing.
    ///
    /// # Errors
    /// The settings are refused, or the guest does not start.
    fn open(&self) -> Result<Self::Bridge, OpenError>;
}

/// A bridge cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The translator refuses the settings, and says what would be right.
    #[error("the translator refuses its settings: {0}")]
    Settings(String),
    /// The guest trapped before it held anything.
    #[error(transparent)]
    Trap(#[from] Trap),
}

/// How to open bridges in guests of their own.
#[derive(Clone)]
pub struct GuestBridges {
    translator: Translator,
    settings: String,
    limit: MemoryLimit,
}

/// A bridge in a guest of its own.
pub struct GuestBridge {
    store: Store<Limiter>,
    instance: Instance,
    bridge: ResourceAny,
}

// === impl Translator ===

impl Translator {
    /// Bridges with these settings: the JSON that `bridge.open` of the contract takes.
    pub fn bridges(&self, settings: String, limit: MemoryLimit) -> GuestBridges {
        GuestBridges { translator: self.clone(), settings, limit }
    }
}

// === impl GuestBridges ===

impl OpenBridge for GuestBridges {
    type Bridge = GuestBridge;

    fn open(&self) -> Result<GuestBridge, OpenError> {
        let (mut store, instance) = self.translator.instantiate(self.limit)?;
        let guest = instance.openinference_mlflow_translator_delivery();
        let opened = guest.bridge().call_open(&mut store, &self.settings);
        let opened = opened.map_err(|error| Trap::new("open", &error, store.data().refused))?;
        let bridge = opened.map_err(OpenError::Settings)?;
        Ok(GuestBridge { store, instance, bridge })
    }
}

// === impl GuestBridge ===

/// Calls a method of the bridge with a fresh deadline.
macro_rules! call {
    ($self:ident, $name:literal, $method:ident($($argument:expr),*)) => {{
        $self.store.set_epoch_deadline(CALL_TICKS);
        let guest = $self.instance.openinference_mlflow_translator_delivery();
        let result = guest.bridge().$method($self.store.as_context_mut(), $self.bridge $(, $argument)*);
        result.map_err(|error| Trap::new($name, &error, $self.store.data().refused))
    }};
}

impl Bridge for GuestBridge {
    fn ingest(&mut self, payload: &[u8], context: &Context, now: u64) -> Result<Result<Accepted, Rejection>, Trap> {
        call!(self, "ingest", call_ingest(payload, context, now))
    }

    fn poll(&mut self, now: u64) -> Result<Vec<Request>, Trap> {
        call!(self, "poll", call_poll(now))
    }

    fn complete(&mut self, request: u64, answer: &Answer, now: u64) -> Result<(), Trap> {
        call!(self, "complete", call_complete(request, answer, now))
    }

    fn events(&mut self) -> Result<Vec<Event>, Trap> {
        call!(self, "events", call_events())
    }

    fn next_wakeup(&mut self) -> Result<Option<u64>, Trap> {
        call!(self, "next-wakeup", call_next_wakeup())
    }

    fn flush(&mut self, now: u64) -> Result<(), Trap> {
        call!(self, "flush", call_flush(now))
    }

    fn stats(&mut self) -> Result<Stats, Trap> {
        call!(self, "stats", call_stats())
    }
}
