//! The answer to an accepted export.
//!
//! OTLP: `partial_success` is left unset when every span was accepted.

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use serde_json::{Value, json};

use crate::driver::Accepted;

pub(super) fn message(accepted: &Accepted) -> ExportTraceServiceResponse {
    let partial_success = (accepted.rejected_spans > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: accepted.rejected_spans.into(),
        error_message: accepted.message.clone(),
    });
    ExportTraceServiceResponse { partial_success }
}

/// The answer in protobuf's JSON mapping, in which a 64-bit integer is a string.
pub(super) fn json(accepted: &Accepted) -> Value {
    match message(accepted).partial_success {
        None => json!({}),
        Some(partial) => json!({
            "partialSuccess": {
                "rejectedSpans": partial.rejected_spans.to_string(),
                "errorMessage": partial.error_message,
            }
        }),
    }
}
