//! One trace in MLflow's own trace JSON, as `mlflow.entities.Trace.to_json` writes and `from_json` reads it.

use super::trace_info::TraceInfo;
use crate::mapping::Additions;
use crate::otlp::{Malformed, Span};

/// Writes a trace: its info, and each span with its own attributes and those it gained.
pub fn write(_info: &TraceInfo, _spans: &[(Span<'_>, Additions<'_>)]) -> Vec<u8> {
    Vec::new()
}

/// Reads a trace back as an OTLP protobuf payload. Trace tags that came from resources become a resource again.
pub fn read(_body: &[u8]) -> Result<Vec<u8>, Malformed> {
    Ok(Vec::new())
}

/// The experiment that a trace's JSON names: its id, or its folder's name in the local folder.
pub fn experiment(_body: &[u8]) -> Option<String> {
    None
}
