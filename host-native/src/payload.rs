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

/// The headers by which a sender names a destination.
pub mod header {
    /// The id of the MLflow experiment.
    pub const EXPERIMENT_ID: &str = "x-mlflow-experiment-id";
    /// The name of the MLflow experiment.
    pub const EXPERIMENT_NAME: &str = "x-mlflow-experiment-name";
    /// The id of the MLflow run.
    pub const RUN_ID: &str = "x-mlflow-run-id";
    /// The MLflow workspace.
    pub const WORKSPACE: &str = "x-mlflow-workspace";
}

// === impl PayloadContext ===

impl PayloadContext {
    /// The destination that is left to the settings.
    pub fn of(encoding: Encoding) -> Self {
        Self { encoding, experiment_id: None, experiment_name: None, run_id: None, workspace: None }
    }

    /// Reads the destination from the headers of a request or message. An empty header counts as absent.
    ///
    /// # Errors
    /// A header that cannot be used, and what is expected.
    pub fn read<'a>(encoding: Encoding, header: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Self, String> {
        let value = |name: &str| match header(name).map(std::str::from_utf8) {
            Some(Ok(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Err(_)) => Err(format!("{name} is not UTF-8")),
            None => Ok(None),
        };
        let experiment_id = value(header::EXPERIMENT_ID)?;
        if experiment_id.as_ref().is_some_and(|id| !id.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(format!(
                "{} is not a number; expected an id such as 1, or use {}",
                header::EXPERIMENT_ID,
                header::EXPERIMENT_NAME
            ));
        }
        Ok(Self {
            encoding,
            experiment_id,
            experiment_name: value(header::EXPERIMENT_NAME)?,
            run_id: value(header::RUN_ID)?,
            workspace: value(header::WORKSPACE)?,
        })
    }
}
