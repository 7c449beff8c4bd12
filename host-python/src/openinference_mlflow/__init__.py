"""Every OpenInference span of this process in MLflow, with one line:

import openinference_mlflow

openinference_mlflow.autolog()
"""

from importlib.metadata import PackageNotFoundError, version

from openinference_mlflow.api import (
    autolog,
    flush,
    get_trace_url,
    last_trace_id,
    log_feedback,
    set_experiment,
    set_tracking_uri,
    shutdown,
    stats,
)
from openinference_mlflow.mlflow_span_processor import MlflowSpanProcessor

try:
    __version__ = version("openinference-mlflow")
except PackageNotFoundError:
    __version__ = "0"

__all__ = [
    "MlflowSpanProcessor",
    "autolog",
    "flush",
    "get_trace_url",
    "last_trace_id",
    "log_feedback",
    "set_experiment",
    "set_tracking_uri",
    "shutdown",
    "stats",
]
