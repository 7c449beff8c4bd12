"""Inside an application: its traces go to MLflow through the Python package. Needs `host-python/src` on the path."""

import openinference_mlflow


def start(tracking_uri: str, experiment: str) -> None:
    openinference_mlflow.autolog(tracking_uri=tracking_uri, experiment=experiment)


def require_delivered() -> None:
    """End the process with an error unless MLflow has every span that ended."""
    is_delivered, stats = openinference_mlflow.flush(), openinference_mlflow.stats()
    if not is_delivered or stats["delivered"] != stats["received"]:
        raise SystemExit(f"not everything is delivered: {stats}")
