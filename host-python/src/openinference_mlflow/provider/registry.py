"""The API's global tracer provider: the one that is set, and the ones that will be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry import trace


def watch(adopt: Callable[[Any], None]) -> None:
    """Calls `adopt` with the global provider, now and whenever one is set. `adopt` must not raise."""
    if trace._TRACER_PROVIDER is not None:
        adopt(trace._TRACER_PROVIDER)
    original = trace._set_tracer_provider

    @functools.wraps(original)
    def set_tracer_provider(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        if trace._TRACER_PROVIDER is not None:
            adopt(trace._TRACER_PROVIDER)

    trace._set_tracer_provider = set_tracer_provider
