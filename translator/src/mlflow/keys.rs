//! Names of attributes, tags and metadata, from `mlflow/tracing/constant.py` (MLflow 3.17).

/// The span's type, a plain word.
pub const SPAN_TYPE: &str = "mlflow.spanType";
/// The span's inputs.
pub const SPAN_INPUTS: &str = "mlflow.spanInputs";
/// The span's outputs.
pub const SPAN_OUTPUTS: &str = "mlflow.spanOutputs";
/// On a root span, this prefix and a tag's key set a trace tag (MLflow 3.14 and later).
pub const TRACE_TAG_PREFIX: &str = "mlflow.traceTag.";
/// The trace tag that holds the trace's name.
pub const TRACE_NAME: &str = "mlflow.traceName";
