//! Compiles the component, once, and keeps the result for the next start.
//!
//! **A guest that never returns** is stopped by epoch interruption: compiled code compares a counter with a deadline at
//! every function entry and loop end, and a thread of the host advances the counter. Measured in thread CPU time on the
//! captured payloads (2.9 MB in one call, medians and minima of 100 calls, wasmtime 48, x86-64), against code that
//! cannot be stopped: epochs cost 10–16 % of `translate` and 11–19 % of a whole delivery, fuel 18–28 % of both. What
//! costs nothing, to leave the runaway to itself in a thread of its own, takes a core until the program ends. A guest
//! translates more than 100 MB/s with epochs, which is not what limits a host, so the stop that always works is worth
//! its price.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use openinference_mlflow_component_encoded::COMPONENT;
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, EngineWeak, Store};

use super::bindings::{Encoding, Instance, Malformed, Prepared, Translated};
use super::limits::{CALL_TICKS, Limiter, MemoryLimit, TICK};
use super::trap::Trap;

/// The component, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Translator {
    prepared: Arc<Prepared<Limiter>>,
}

/// The component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The runtime does not work on this machine, or refuses the component.
    #[error("the translator cannot be loaded: {0}")]
    Runtime(String),
    /// No thread can be started for the guests' clock.
    #[error("the translator's clock cannot be started: {0}")]
    Clock(std::io::Error),
}

// === impl Translator ===

impl Translator {
    /// Load the component that this program carries. `cache` is a folder for compiled code; without one, or with one
    /// that cannot be used, it is compiled anew, which takes some tenths of a second.
    ///
    /// # Errors
    /// The runtime does not work on this machine.
    pub fn load(cache: Option<&Path>) -> Result<Self, LoadError> {
        Self::from_component(COMPONENT, cache)
    }

    /// Load another implementation of the same contract.
    ///
    /// # Errors
    /// The runtime does not work on this machine, or the component does not implement the contract.
    pub fn from_component(component: &[u8], cache: Option<&Path>) -> Result<Self, LoadError> {
        let unusable = |error: wasmtime::Error| LoadError::Runtime(format!("{error:#}"));
        let mut config = Config::new();
        config.epoch_interruption(true).cache(cache.and_then(open_cache));
        let engine = Engine::new(&config).map_err(unusable)?;
        let component = Component::new(&engine, component).map_err(unusable)?;
        // Nothing is linked: the component imports nothing.
        let prepared = Linker::new(&engine).instantiate_pre(&component).and_then(Prepared::new).map_err(unusable)?;
        start_clock(engine.weak()).map_err(LoadError::Clock)?;
        Ok(Self { prepared: Arc::new(prepared) })
    }

    /// Translate one payload; see `translate` in the contract.
    ///
    /// # Errors
    /// The outer one: the guest trapped. The inner one: the payload is not what `from` says.
    pub fn translate(
        &self,
        payload: &[u8],
        from: Encoding,
        to: Encoding,
    ) -> Result<Result<Translated, Malformed>, Trap> {
        let size = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let (mut store, instance) = self.instantiate(MemoryLimit::for_bridge(0, size.max(1 << 20) * 4))?;
        let guest = instance.openinference_mlflow_translator_translate();
        let translated = guest.call_translate(&mut store, payload, from, to);
        translated.map_err(|error| Trap::new("translate", &error, store.data().refused))
    }

    /// The same payload in another encoding; see `transcode` in the contract.
    ///
    /// # Errors
    /// The outer one: the guest trapped. The inner one: the payload is not what `from` says.
    pub fn transcode(&self, payload: &[u8], from: Encoding, to: Encoding) -> Result<Result<Vec<u8>, Malformed>, Trap> {
        let size = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let (mut store, instance) = self.instantiate(MemoryLimit::for_bridge(0, size.max(1 << 20) * 4))?;
        let guest = instance.openinference_mlflow_translator_translate();
        let transcoded = guest.call_transcode(&mut store, payload, from, to);
        transcoded.map_err(|error| Trap::new("transcode", &error, store.data().refused))
    }

    pub(super) fn instantiate(&self, limit: MemoryLimit) -> Result<(Store<Limiter>, Instance), Trap> {
        let mut store = Store::new(self.prepared.engine(), Limiter::new(limit));
        store.limiter(|limiter| limiter);
        store.set_epoch_deadline(CALL_TICKS);
        let instance = self.prepared.instantiate(&mut store);
        let instance = instance.map_err(|error| Trap::new("instantiate", &error, store.data().refused))?;
        Ok((store, instance))
    }
}

fn open_cache(folder: &Path) -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).inspect_err(|error| tracing::debug!("compiled code is not kept: {error:#}")).ok()
}

/// The clock stops when the last engine is gone.
fn start_clock(engine: EngineWeak) -> std::io::Result<()> {
    let tick = move || {
        loop {
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    };
    thread::Builder::new().name("guest-clock".to_owned()).spawn(tick).map(drop)
}
