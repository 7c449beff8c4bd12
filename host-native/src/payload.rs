//! What the gateway knows about a payload without reading it: its encoding, and where its sender wants it to go.

/// How a payload is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP `ExportTraceServiceRequest` in protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
    /// One trace in MLflow's trace JSON, as the local folder stores it.
    TraceJson,
}

/// The encoding of a payload and the destination its sender asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadContext {
    /// How the payload is encoded.
    pub encoding: Encoding,
    /// The id of the MLflow experiment.
    pub experiment_id: Option<String>,
    /// The name of the MLflow experiment.
    pub experiment_name: Option<String>,
    /// The id of the MLflow run.
    pub run_id: Option<String>,
    /// The MLflow workspace.
    pub workspace: Option<String>,
}
