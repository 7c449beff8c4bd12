//! What stands in a `.reason.json`: why something is set aside, since when, and where it was to go.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::wasm::{Context, Encoding};

/// Everything but the bytes. A field that is absent is not known or was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What is wrong, and what to do about it; no span content.
    pub reason: String,
    /// When it was set aside (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Of the one span, when it is one: hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Of the one span, when it is one: hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// Whom it was for; MLflow, when absent.
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

// === impl Record ===

impl Record {
    /// For this reason, now.
    pub(super) fn now(reason: &str) -> Self {
        let at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { reason: reason.to_owned(), at: Some(at), ..Self::default() }
    }

    /// Whether both are for one destination, and one experiment there.
    pub(super) fn is_for_the_same(&self, other: &Self) -> bool {
        let whom = |record: &Self| {
            let Self { destination, experiment_id, experiment_name, run_id, workspace, .. } = record.clone();
            (destination, experiment_id, experiment_name, run_id, workspace)
        };
        whom(self) == whom(other)
    }

    /// With what a sender said.
    pub(super) fn of(self, context: &Context) -> Self {
        let Context { experiment_id, experiment_name, run_id, workspace, .. } = context.clone();
        Self { experiment_id, experiment_name, run_id, workspace, ..self }
    }

    /// What its sender said, for a payload of this encoding.
    pub fn context(&self, encoding: Encoding) -> Context {
        let Self { experiment_id, experiment_name, run_id, workspace, .. } = self.clone();
        Context { encoding, experiment_id, experiment_name, run_id, workspace }
    }
}
