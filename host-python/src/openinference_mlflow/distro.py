"""For `opentelemetry-instrument`: `OTEL_PYTHON_DISTRO=openinference_mlflow` starts `autolog()` before the program."""

from __future__ import annotations

from typing import Any

from openinference_mlflow.api import autolog

try:
    from opentelemetry.instrumentation import distro

    BaseDistro: Any = distro.BaseDistro  # type: ignore[attr-defined,unused-ignore]
except (
    ImportError,
    AttributeError,
):  # Only `opentelemetry-instrument` loads this module, and it brings the base class.
    BaseDistro = object


class MlflowDistro(BaseDistro):  # type: ignore[misc,unused-ignore]
    """Instrumentors are loaded by `opentelemetry-instrument` itself."""

    def _configure(self, **kwargs: Any) -> None:
        autolog()
