//! The translator for JavaScript: the contract of `wit/translator.wit` in JavaScript's types.
//!
//! Beside it is `ingestChunk`, which takes spans as the Node host snapshots them ([`chunk`]). Numbers that the
//! contract has as `u64` are JavaScript numbers here: instants, ids and counters stay far below 2^53.

mod chunk;
mod convert;

use js_sys::{Array, Object, Uint8Array};
use openinference_mlflow_translator as core;
use wasm_bindgen::prelude::*;

use core::contract::{Answer, Context, Encoding, Response};

/// Whole traces to an MLflow server, over requests that the host performs. See `bridge` in the contract.
#[wasm_bindgen]
pub struct Bridge {
    core: core::Bridge,
}

#[wasm_bindgen]
impl Bridge {
    /// Throws what is wrong with the settings, and what would be right.
    #[wasm_bindgen(constructor)]
    pub fn open(settings: &str) -> Result<Bridge, JsError> {
        Ok(Self { core: core::Bridge::open(settings)? })
    }

    /// Takes the spans of a chunk. Empty texts of the context leave it to the settings.
    #[wasm_bindgen(js_name = ingestChunk, unchecked_return_type = "Ingested")]
    pub fn ingest_chunk(
        &mut self,
        chunk: &[u8],
        experiment_id: &str,
        experiment_name: &str,
        run_id: &str,
        workspace: &str,
        now: f64,
    ) -> Result<Object, JsError> {
        let payload = chunk::to_otlp(chunk)?;
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let context = Context {
            encoding: Encoding::Protobuf,
            experiment_id: text(experiment_id),
            experiment_name: text(experiment_name),
            run_id: text(run_id),
            workspace: text(workspace),
        };
        Ok(convert::ingested(&self.core.ingest(&payload, &context, now as u64)))
    }

    /// The requests to perform now. Each must be completed exactly once, in any order.
    #[wasm_bindgen(unchecked_return_type = "Request[]")]
    pub fn poll(&mut self, now: f64) -> Array {
        self.core.poll(now as u64).iter().map(convert::request).collect()
    }

    /// What the server answered. `headers`: names and values by turns.
    pub fn complete(&mut self, request: f64, status: u16, headers: Vec<String>, body: Vec<u8>, now: f64) {
        let headers = headers.chunks_exact(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())));
        let response = Response { status, headers: headers.collect(), body };
        self.core.complete(request as u64, &Answer::Response(response), now as u64);
    }

    /// The server did not answer; the reason holds no credentials.
    #[wasm_bindgen(js_name = completeWithoutAnswer)]
    pub fn complete_without_answer(&mut self, request: f64, reason: String, now: f64) {
        self.core.complete(request as u64, &Answer::NoAnswer(reason), now as u64);
    }

    /// What happened since the last call, in order.
    #[wasm_bindgen(unchecked_return_type = "BridgeEvent[]")]
    pub fn events(&mut self) -> Array {
        self.core.events().iter().map(convert::event).collect()
    }

    /// When `poll` will next have something to do if nothing else happens.
    #[wasm_bindgen(js_name = nextWakeup)]
    pub fn next_wakeup(&self) -> Option<f64> {
        self.core.next_wakeup().map(|instant| instant as f64)
    }

    /// Send everything at the next `poll`.
    pub fn flush(&mut self, now: f64) {
        self.core.flush(now as u64);
    }

    /// Counters since the bridge was made, and what it holds now.
    #[wasm_bindgen(unchecked_return_type = "Stats")]
    pub fn stats(&self) -> Object {
        convert::stats(&self.core.stats())
    }
}

/// `translate` of the contract, protobuf in and out; its payload alone.
#[wasm_bindgen]
pub fn translate(payload: &[u8]) -> Result<Uint8Array, JsError> {
    let translated = core::translate(payload, Encoding::Protobuf, Encoding::Protobuf)?;
    Ok(Uint8Array::from(translated.payload.as_slice()))
}
