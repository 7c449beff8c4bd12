//! Exports the interface `translate`.

use openinference_mlflow_translator as translator;

use crate::Component;
use crate::bindings::exports::openinference_mlflow::translator::translate::{Encoding, Guest, Malformed, Translated};

impl Guest for Component {
    fn translate(payload: Vec<u8>, from: Encoding, to: Encoding) -> Result<Translated, Malformed> {
        let translated = translator::translate(&payload, from.into(), to.into())?;
        Ok(Translated {
            payload: translated.payload,
            repairs: translated.repairs.into_iter().map(Into::into).collect(),
            quarantined: translated.quarantined.into_iter().map(Into::into).collect(),
        })
    }

    fn transcode(payload: Vec<u8>, from: Encoding, to: Encoding) -> Result<Vec<u8>, Malformed> {
        Ok(translator::transcode(&payload, from.into(), to.into())?)
    }
}
