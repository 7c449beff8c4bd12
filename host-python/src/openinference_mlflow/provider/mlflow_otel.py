"""Beside `mlflow.otel.autolog()` in one process: this package delivers, and MLflow's processor pauses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openinference_mlflow.settings import mlflow_client

_is_active: Callable[[], bool] = lambda: False  # noqa: E731
_say: Callable[[str], None] = lambda message: None  # noqa: E731
_silenced: list[object] = []


def watch(is_active: Callable[[], bool], say: Callable[[str], None]) -> None:
    """Sets when MLflow's processor is to pause, and how to say so."""
    global _is_active, _say
    _is_active, _say = is_active, say


def silence_mlflow_otel() -> None:
    """Called before each span ends, because `mlflow.otel.autolog()` may be called at any time."""
    processor = mlflow_client.otel_processor()
    if processor is not None and _is_active():
        _silence(processor, _say)


def silence_on_the_same_provider(span: object, say: Callable[[str], None]) -> None:
    """Called when a span starts on a provider that has a processor of ours."""
    processor = mlflow_client.otel_processor()
    if processor is None:
        return
    of_provider = getattr(getattr(span, "_span_processor", None), "_span_processors", ())
    if processor in of_provider:
        _silence(processor, say)


def _silence(processor: Any, say: Callable[[str], None]) -> None:
    if not getattr(processor, "_enabled", False):
        return
    processor._enabled = False
    if processor not in _silenced:
        _silenced.append(processor)
    say("mlflow.otel.autolog() pauses: openinference-mlflow delivers the spans, so that no trace is sent twice")


def release_mlflow_otel() -> None:
    """`autolog(disable=True)`: MLflow's processor delivers again."""
    for processor in _silenced:
        processor._enabled = True  # type: ignore[attr-defined]
    _silenced.clear()
