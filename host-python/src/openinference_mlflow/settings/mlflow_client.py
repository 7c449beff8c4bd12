"""What the application set in code on MLflow's own Python client, if it uses it.

Reads modules that are loaded already and imports nothing.
"""

from __future__ import annotations

import sys
from typing import Any


def _loaded(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def tracking_uri_set_in_code() -> str | None:
    """`mlflow.set_tracking_uri(…)`."""
    uri = _loaded("mlflow.tracking._tracking_service.utils", "_tracking_uri")
    return str(uri) if uri else None


def active_experiment_id() -> str | None:
    """`mlflow.set_experiment(…)`."""
    experiment = _loaded("mlflow.tracking.fluent", "_active_experiment_id")
    return str(experiment) if experiment else None


def otel_processor() -> Any:
    """The span processor of `mlflow.otel.autolog()`, which has an attribute `_enabled`."""
    return _loaded("mlflow.otel", "_active_processor")
