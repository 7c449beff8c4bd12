"""The span processors that hand finished spans to a pipeline."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from openinference_mlflow.pipeline import Pipeline
from openinference_mlflow.provider.attach import MARKER
from openinference_mlflow.provider.mlflow_otel import silence_mlflow_otel
from openinference_mlflow.settings.resolve import Options


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


class MlflowSpanProcessor(PipelineProcessor):
    """A span processor for a tracer provider of your own, with or without `autolog()`.

    A provider that has one gets no second delivery from `autolog()`. Options and defaults are those of `autolog()`;
    `flush_on_signals` has no effect.

        provider = TracerProvider()
        provider.add_span_processor(MlflowSpanProcessor(experiment="agents"))
    """

    def __init__(self, **options: Any) -> None:
        from openinference_mlflow.state import shared

        pipeline = shared().new_pipeline()
        pipeline.configure(Options(**options))
        setattr(self, MARKER, True)
        super().__init__(pipeline)

    def on_end(self, span: ReadableSpan) -> None:
        silence_mlflow_otel()
        super().on_end(span)
