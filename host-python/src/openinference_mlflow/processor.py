"""The span processor that hands finished spans to a pipeline."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from openinference_mlflow.pipeline import Pipeline


class PipelineProcessor(SpanProcessor):
    """`autolog()`'s processor. Nothing here raises, and `shutdown` is a flush: providers come and go."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._pipeline.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self._pipeline.on_end(span)

    def shutdown(self) -> None:
        self._pipeline.flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._pipeline.flush(timeout_millis)
