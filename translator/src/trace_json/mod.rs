//! One trace in MLflow's own trace JSON, as `mlflow.entities.Trace.to_json` writes and `from_json` reads it (3.17).
//!
//! Each attribute of a span is JSON text there, as MLflow's store holds them: text that spells a JSON object, array or
//! string means that value. Resources are there as trace tags; scopes, span kinds and trace states are not.

mod read;
mod write;

pub use read::{assessments, experiment, read};
pub use write::write;
