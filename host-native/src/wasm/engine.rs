//! Loads the component: as machine code that the build made (feature `precompiled`), or by compiling it once and caching
//! the compiled code for the next start (feature `compiler`).
//!
//! **Epoch interruption stops a call that never returns**: compiled code compares a counter with a deadline at every
//! function entry and loop end, and a thread advances the counter. Measured in thread CPU time on the
//! captured payloads (2.9 MB in one call, medians and minima of 100 calls, wasmtime 48, x86-64), against code that
//! cannot be stopped: epochs cost 10–16 % of `translate` and 11–19 % of a whole delivery, fuel 18–28 % of both. The
//! free alternative, abandoning the thread of a runaway call, costs a core until the program ends. With epochs the
//! translator handles more than 100 MB/s, which does not limit the gateway.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, EngineWeak, Store};
#[cfg(feature = "compiler")]
use {
    openinference_mlflow_component_encoded::COMPONENT,
    wasmtime::{Cache, CacheConfig, Config},
};

use super::bindings::{Instance, Malformed, Prepared, Translated};
use super::limits::{CALL_TICKS, Limiter, MemoryLimit, TICK};
use super::trap::Trap;
use crate::payload::Encoding;

/// The component, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Translator {
    prepared: Arc<Prepared<Limiter>>,
}

/// The component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The runtime does not work on this machine, or rejects the component.
    #[error("failed to load the translator: {0}")]
    Runtime(String),
    /// The thread that advances the epoch cannot be started.
    #[error("failed to start the epoch thread: {0}")]
    Clock(std::io::Error),
}

// === impl Translator ===

impl Translator {
    /// Loads the component that is built into this program. `cache` is a folder for compiled code, which precompiled code
    /// does not need. Without a usable cache the component is compiled, which takes some tenths of a second.
    ///
    /// # Errors
    /// The runtime does not work on this machine.
    #[cfg(feature = "precompiled")]
    pub fn load(_cache: Option<&Path>) -> Result<Self, LoadError> {
        let engine = Engine::new(&openinference_mlflow_component_precompiled::config()).map_err(unusable)?;
        let component = openinference_mlflow_component_precompiled::component(&engine).map_err(unusable)?;
        Self::prepare(&engine, &component)
    }

    /// Loads the component that is built into this program. `cache` is a folder for compiled code. Without a usable cache the
    /// component is compiled, which takes some tenths of a second.
    ///
    /// # Errors
    /// The runtime does not work on this machine.
    #[cfg(not(feature = "precompiled"))]
    pub fn load(cache: Option<&Path>) -> Result<Self, LoadError> {
        Self::from_component(COMPONENT, cache)
    }

    /// Loads another implementation of the contract.
    ///
    /// # Errors
    /// The runtime does not work on this machine, or the component does not implement the contract.
    #[cfg(feature = "compiler")]
    pub fn from_component(component: &[u8], cache: Option<&Path>) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.epoch_interruption(true).cache(cache.and_then(open_cache));
        let engine = Engine::new(&config).map_err(unusable)?;
        let component = Component::new(&engine, component).map_err(unusable)?;
        Self::prepare(&engine, &component)
    }

    fn prepare(engine: &Engine, component: &Component) -> Result<Self, LoadError> {
        // The component has no imports.
        let prepared = Linker::new(engine).instantiate_pre(component).and_then(Prepared::new).map_err(unusable)?;
        start_clock(engine.weak()).map_err(LoadError::Clock)?;
        Ok(Self { prepared: Arc::new(prepared) })
    }

    /// Translates one payload and re-encodes it as `to`, without delivering it. Used by the `translate` command.
    ///
    /// # Errors
    /// Outer: the call trapped. Inner: the payload is not valid in the encoding `from`.
    pub fn translate(
        &self,
        payload: &[u8],
        from: Encoding,
        to: Encoding,
    ) -> Result<Result<Translated, Malformed>, Trap> {
        let size = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let (mut store, instance) = self.instantiate(MemoryLimit::for_bridge(0, size.max(1 << 20) * 4))?;
        let exports = instance.openinference_mlflow_translator_translate();
        let translated = exports.call_translate(&mut store, payload, from.into(), to.into());
        translated.map_err(|error| Trap::new("translate", &error, store.data().refused))
    }

    /// Re-encodes a payload without translating it.
    ///
    /// # Errors
    /// Outer: the call trapped. Inner: the payload is not valid in the encoding `from`.
    pub fn transcode(&self, payload: &[u8], from: Encoding, to: Encoding) -> Result<Result<Vec<u8>, Malformed>, Trap> {
        let size = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let (mut store, instance) = self.instantiate(MemoryLimit::for_bridge(0, size.max(1 << 20) * 4))?;
        let exports = instance.openinference_mlflow_translator_translate();
        let transcoded = exports.call_transcode(&mut store, payload, from.into(), to.into());
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

fn unusable(error: wasmtime::Error) -> LoadError {
    LoadError::Runtime(format!("{error:#}"))
}

#[cfg(feature = "compiler")]
fn open_cache(folder: &Path) -> Option<Cache> {
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).inspect_err(|error| tracing::debug!("failed to open the cache of compiled code: {error:#}")).ok()
}

/// Advances the epoch until the last engine is dropped.
fn start_clock(engine: EngineWeak) -> std::io::Result<()> {
    let tick = move || {
        loop {
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    };
    thread::Builder::new().name("wasm-epoch".to_owned()).spawn(tick).map(drop)
}
