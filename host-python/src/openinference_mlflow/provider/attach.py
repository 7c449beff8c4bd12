"""Puts a span processor behind a provider's own ones, whatever kind of provider it is.

An SDK provider hands every span to one multi-processor. Its methods are extended in place: the list of processors
stays the application's, so that code which replaces the list (`phoenix.otel`) keeps its effect, and ours.
"""

from __future__ import annotations

import functools
from typing import Any

from opentelemetry.sdk.trace import SpanProcessor

from openinference_mlflow.provider.mlflow_otel import silence_mlflow_otel

MARKER = "openinference_mlflow_processor"


def attach(provider: Any, processor: SpanProcessor) -> bool:
    """Returns whether the provider can be followed. Attaching twice is one."""
    multi = getattr(provider, "_active_span_processor", None)
    if multi is not None and hasattr(multi, "_span_processors"):
        if not hasattr(multi, MARKER):
            _extend(multi, processor)
        return True
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        return False
    if not getattr(provider, MARKER, False):
        add(processor)
        setattr(provider, MARKER, True)
    return True


def _extend(multi: Any, processor: SpanProcessor) -> None:
    on_start, on_end, shutdown, force_flush = multi.on_start, multi.on_end, multi.shutdown, multi.force_flush

    @functools.wraps(on_start)
    def start(span: Any, parent_context: Any = None) -> None:
        processor.on_start(span, parent_context)
        on_start(span, parent_context=parent_context)

    @functools.wraps(on_end)
    def end(span: Any) -> None:
        silence_mlflow_otel()
        try:
            on_end(span)
        finally:
            if not any(getattr(each, MARKER, False) for each in multi._span_processors):
                processor.on_end(span)

    @functools.wraps(shutdown)
    def stop() -> None:
        try:
            shutdown()
        finally:
            processor.shutdown()

    @functools.wraps(force_flush)
    def flush(timeout_millis: int = 30_000) -> bool:
        ours = processor.force_flush(timeout_millis)
        return bool(force_flush(timeout_millis)) and ours

    multi.on_start, multi.on_end, multi.shutdown, multi.force_flush = start, end, stop, flush
    setattr(multi, MARKER, True)
