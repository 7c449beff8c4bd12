"""From the queue of finished spans to MLflow."""
