//! The contents of a `.reason.json`: the reason, the time, and where the payload was going.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::payload::{Encoding, PayloadContext};

/// Everything but the bytes. An absent field is unknown or was not set by the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuarantineRecord {
    /// What is wrong and what to do about it. Contains no span content.
    pub reason: String,
    /// When it was quarantined (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The trace id in hexadecimal, if the entry is a single span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The span id in hexadecimal, if the entry is a single span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The forward destination. Absent: MLflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The sender's `x-mlflow-experiment-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_id: Option<String>,
    /// The sender's `x-mlflow-experiment-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_name: Option<String>,
    /// The sender's `x-mlflow-run-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The sender's `x-mlflow-workspace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

// === impl QuarantineRecord ===

impl QuarantineRecord {
    /// A record with this reason and the current time.
    pub(super) fn now(reason: &str) -> Self {
        let at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { reason: reason.to_owned(), at: Some(at), ..Self::default() }
    }

    /// Whether both have the same destination and the same experiment, run and workspace.
    pub(super) fn has_same_destination(&self, other: &Self) -> bool {
        let key = |record: &Self| {
            let Self { destination, experiment_id, experiment_name, run_id, workspace, .. } = record.clone();
            (destination, experiment_id, experiment_name, run_id, workspace)
        };
        key(self) == key(other)
    }

    /// Adds the context of the payload.
    pub(super) fn of(self, context: &PayloadContext) -> Self {
        let PayloadContext { experiment_id, experiment_name, run_id, workspace, .. } = context.clone();
        Self { experiment_id, experiment_name, run_id, workspace, ..self }
    }

    /// The context of the payload, with this encoding.
    pub fn context(&self, encoding: Encoding) -> PayloadContext {
        let Self { experiment_id, experiment_name, run_id, workspace, .. } = self.clone();
        PayloadContext { encoding, experiment_id, experiment_name, run_id, workspace }
    }
}
