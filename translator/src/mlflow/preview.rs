//! Trace previews, as MLflow derives them: at most 1000 characters.

/// The request preview from a root's `mlflow.spanInputs`, given as JSON or plain text.
pub fn request(_inputs: &str) -> Option<String> {
    None
}

/// The response preview from a root's `mlflow.spanOutputs`, given as JSON or plain text.
pub fn response(_outputs: &str) -> Option<String> {
    None
}
