//! The bindings that wasmtime generates from `wit/translator.wit`, under the names that the gateway uses.

#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "translator",
        additional_derives: [PartialEq],
    });
}

use generated::exports::openinference_mlflow::translator::delivery;
pub use generated::exports::openinference_mlflow::translator::delivery::{
    Accepted, Answer, Event, Level, Notice, Rejection, Request, Response, Stats,
};
pub use generated::exports::openinference_mlflow::translator::translate::Translated;
use generated::exports::openinference_mlflow::translator::types;
pub(super) use generated::{Translator as Instance, TranslatorPre as Prepared};
pub use types::{Malformed, Quarantined, Repair};

use crate::payload::{Encoding, PayloadContext};

impl From<Encoding> for types::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Protobuf => Self::Protobuf,
            Encoding::Json => Self::Json,
            Encoding::TraceJson => Self::TraceJson,
        }
    }
}

impl From<&PayloadContext> for delivery::Context {
    fn from(context: &PayloadContext) -> Self {
        let PayloadContext { encoding, experiment_id, experiment_name, run_id, workspace } = context.clone();
        Self { encoding: encoding.into(), experiment_id, experiment_name, run_id, workspace }
    }
}
