//! The bridge of the contract in a wasm instance, behind a trait, so that tests can replace it by a bridge that misbehaves.

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, Store};

use super::bindings::{Accepted, Answer, Event, Instance, Rejection, Request, Stats};
use super::engine::Translator;
use super::limits::{CALL_TICKS, Limiter, MemoryLimit};
use super::trap::Trap;
use crate::payload::PayloadContext;

/// `delivery.bridge` of the contract. Each call may trap; after a trap, no further call is made.
///
/// Times are in milliseconds since the Unix epoch and never run backwards.
#[allow(missing_docs, reason = "the contract documents them")]
pub trait Bridge: Send {
    fn ingest(
        &mut self,
        payload: &[u8],
        context: &PayloadContext,
        now: u64,
    ) -> Result<Result<Accepted, Rejection>, Trap>;
    fn poll(&mut self, now: u64) -> Result<Vec<Request>, Trap>;
    fn complete(&mut self, request: u64, answer: &Answer, now: u64) -> Result<(), Trap>;
    fn events(&mut self) -> Result<Vec<Event>, Trap>;
    fn next_wakeup(&mut self) -> Result<Option<u64>, Trap>;
    fn flush(&mut self, now: u64) -> Result<(), Trap>;
    fn stats(&mut self) -> Result<Stats, Trap>;
}

/// Opens bridges: the first one, and one after each trap.
pub trait OpenBridge: Send {
    /// The bridge.
    type Bridge: Bridge;

    /// Opens an empty bridge.
    ///
    /// # Errors
    /// The translator refuses the settings, or the instance does not start.
    fn open(&self) -> Result<Self::Bridge, OpenError>;
}

/// A bridge cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The translator refuses the settings; the text says what is wrong.
    #[error("the translator refuses its settings: {0}")]
    Settings(String),
    /// The new instance trapped.
    #[error(transparent)]
    Trap(#[from] Trap),
}

/// Opens each bridge in a new wasm instance.
#[derive(Clone)]
pub struct WasmBridges {
    translator: Translator,
    settings: String,
    limit: MemoryLimit,
}

/// A bridge and its wasm instance.
pub struct WasmBridge {
    store: Store<Limiter>,
    instance: Instance,
    bridge: ResourceAny,
}

// === impl Translator ===

impl Translator {
    /// Bridges with these settings: the JSON for `bridge.open` of the contract.
    pub fn bridges(&self, settings: String, limit: MemoryLimit) -> WasmBridges {
        WasmBridges { translator: self.clone(), settings, limit }
    }
}

// === impl WasmBridges ===

impl OpenBridge for WasmBridges {
    type Bridge = WasmBridge;

    fn open(&self) -> Result<WasmBridge, OpenError> {
        let (mut store, instance) = self.translator.instantiate(self.limit)?;
        let exports = instance.openinference_mlflow_translator_delivery();
        let opened = exports.bridge().call_open(&mut store, &self.settings);
        let opened = opened.map_err(|error| Trap::new("open", &error, store.data().refused))?;
        let bridge = opened.map_err(OpenError::Settings)?;
        Ok(WasmBridge { store, instance, bridge })
    }
}

// === impl WasmBridge ===

/// Calls a method of the bridge with a fresh deadline.
macro_rules! call {
    ($self:ident, $name:literal, $method:ident($($argument:expr),*)) => {{
        $self.store.set_epoch_deadline(CALL_TICKS);
        let exports = $self.instance.openinference_mlflow_translator_delivery();
        let result = exports.bridge().$method($self.store.as_context_mut(), $self.bridge $(, $argument)*);
        result.map_err(|error| Trap::new($name, &error, $self.store.data().refused))
    }};
}

impl Bridge for WasmBridge {
    fn ingest(
        &mut self,
        payload: &[u8],
        context: &PayloadContext,
        now: u64,
    ) -> Result<Result<Accepted, Rejection>, Trap> {
        call!(self, "ingest", call_ingest(payload, &context.into(), now))
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
