//! A trace's facts as a whole, and their JSON for `POST /api/3.0/mlflow/traces` and the local folder.

/// The state of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The root ended without error.
    Ok,
    /// The root ended with an error.
    Error,
    /// No root yet.
    InProgress,
}

/// Everything MLflow's trace info holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceInfo {
    /// The OpenTelemetry trace id.
    pub trace_id: [u8; 16],
    /// The experiment's id (its folder's name in the local folder).
    pub experiment_id: String,
    /// Earliest start, nanoseconds since the Unix epoch.
    pub start: u64,
    /// Latest end, nanoseconds since the Unix epoch.
    pub end: u64,
    /// The trace's state.
    pub state: State,
    /// At most 1000 characters.
    pub request_preview: Option<String>,
    /// At most 1000 characters.
    pub response_preview: Option<String>,
    /// Trace tags, `mlflow.traceName` among them.
    pub tags: Vec<(String, String)>,
    /// Trace metadata.
    pub metadata: Vec<(String, String)>,
}

impl TraceInfo {
    /// The `trace_info` object: times as RFC 3339 and seconds (`"0.188s"`), as MLflow's `TraceInfoV3` has them.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
