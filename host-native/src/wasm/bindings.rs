//! The contract as wasmtime generates it from `wit/translator.wit`, under the names that the rest of the host uses.

#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "translator",
        additional_derives: [PartialEq],
    });
}

pub use generated::exports::openinference_mlflow::translator::delivery::{
    Accepted, Answer, Context, Event, Level, Notice, Rejection, Request, Response, Stats,
};
pub use generated::exports::openinference_mlflow::translator::translate::Translated;
pub use generated::exports::openinference_mlflow::translator::types::{Encoding, Malformed, Quarantined, Repair};
pub(super) use generated::{Translator as Instance, TranslatorPre as Prepared};
