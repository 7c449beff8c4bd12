//! The component in wasmtime, as an embedder runs it that cares for speed: one instance, its store reused.

use openinference_mlflow_component_encoded::COMPONENT;
use openinference_mlflow_translator::contract::Encoding;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "translator" });
}

pub use bindings::exports::openinference_mlflow::translator::translate::Translated;
use bindings::exports::openinference_mlflow::translator::types;

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
        let mut config = Config::new();
        config.epoch_interruption(interruptible);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, COMPONENT)?;
        let mut store = Store::new(&engine, ());
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
}
