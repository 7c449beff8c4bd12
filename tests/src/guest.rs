//! The component in wasmtime, as an embedder runs it that cares for speed: one instance, its store reused.

use openinference_mlflow_component_encoded::COMPONENT;
use openinference_mlflow_translator::contract::Encoding;
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Engine, Store};

#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "translator" });
}

use bindings::exports::openinference_mlflow::translator::delivery::Context;
pub use bindings::exports::openinference_mlflow::translator::translate::Translated;
use bindings::exports::openinference_mlflow::translator::types;

/// More instructions than any test executes.
const FUEL: u64 = u64::MAX / 2;

/// When everything happens.
const NOW: u64 = 1_760_000_000_000;

/// One instance.
pub struct Guest {
    store: Store<()>,
    instance: bindings::Translator,
}

impl Guest {
    /// Compiles and instantiates the component, with or without the means to interrupt it.
    ///
    /// # Errors
    /// The runtime does not work on this machine.
    pub fn new(interruptible: bool) -> wasmtime::Result<Self> {
        Self::with(interruptible, false)
    }

    /// Compiles and instantiates the component so that it counts the instructions it executes.
    ///
    /// # Errors
    /// The runtime does not work on this machine.
    pub fn metered() -> wasmtime::Result<Self> {
        Self::with(false, true)
    }

    /// The instructions executed since the last call; zero for an instance that does not count them.
    pub fn take_instructions(&mut self) -> u64 {
        let executed = self.store.get_fuel().map_or(0, |left| FUEL - left);
        // An instance that does not count has no fuel to fill up.
        let _ = self.store.set_fuel(FUEL);
        executed
    }

    fn with(interruptible: bool, metered: bool) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(interruptible);
        config.consume_fuel(metered);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, COMPONENT)?;
        let mut store = Store::new(&engine, ());
        if metered {
            store.set_fuel(FUEL)?;
        }
        if interruptible {
            store.set_epoch_deadline(u64::MAX / 2);
        }
        let instance = bindings::Translator::instantiate(&mut store, &component, &Linker::new(&engine))?;
        Ok(Self { store, instance })
    }

    /// `translate` of the contract; a refused body is its reason.
    ///
    /// # Errors
    /// The guest trapped.
    pub fn translate(&mut self, payload: &[u8], from: Encoding) -> wasmtime::Result<Result<Translated, String>> {
        let from = match from {
            Encoding::Protobuf => types::Encoding::Protobuf,
            Encoding::Json => types::Encoding::Json,
            Encoding::TraceJson => types::Encoding::TraceJson,
        };
        let translate = self.instance.openinference_mlflow_translator_translate();
        let translated = translate.call_translate(&mut self.store, payload, from, types::Encoding::Protobuf)?;
        Ok(translated.map_err(|malformed| malformed.reason))
    }

    /// Opens a bridge of the contract.
    ///
    /// # Errors
    /// The guest trapped, or refused the settings.
    pub fn open(&mut self, settings: &str) -> wasmtime::Result<ResourceAny> {
        let bridge = self.instance.openinference_mlflow_translator_delivery().bridge();
        bridge.call_open(&mut self.store, settings)?.map_err(wasmtime::Error::msg)
    }

    /// Gives a bridge a protobuf payload for the experiment of its settings.
    ///
    /// # Errors
    /// The guest trapped, or refused the payload.
    pub fn ingest(&mut self, bridge: ResourceAny, payload: &[u8]) -> wasmtime::Result<()> {
        let context = Context {
            encoding: types::Encoding::Protobuf,
            experiment_id: None,
            experiment_name: None,
            run_id: None,
            workspace: None,
        };
        let api = self.instance.openinference_mlflow_translator_delivery().bridge();
        let accepted = api.call_ingest(&mut self.store, bridge, payload, &context, NOW)?;
        accepted.map(drop).map_err(|rejection| wasmtime::Error::msg(format!("{rejection:?}")))
    }

    /// Asks a bridge what is to do, and forgets it.
    ///
    /// # Errors
    /// The guest trapped.
    pub fn poll(&mut self, bridge: ResourceAny) -> wasmtime::Result<()> {
        let api = self.instance.openinference_mlflow_translator_delivery().bridge();
        api.call_poll(&mut self.store, bridge, NOW).map(drop)
    }
}
