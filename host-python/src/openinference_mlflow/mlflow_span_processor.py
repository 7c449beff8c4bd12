"""The public span processor, for a tracer provider of the application's own."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span

from openinference_mlflow.processor import PipelineProcessor
from openinference_mlflow.provider.attach import MARKER
from openinference_mlflow.provider.mlflow_otel import silence_on_the_same_provider
from openinference_mlflow.settings.resolve import Options, changed
from openinference_mlflow.state import shared


class MlflowSpanProcessor(PipelineProcessor):
    """A span processor for a tracer provider of your own, with or without `autolog()`.

    A provider that has one gets no second delivery from `autolog()`. Options and defaults are those of `autolog()`;
    `flush_on_signals` has no effect.

        provider = TracerProvider()
        provider.add_span_processor(MlflowSpanProcessor(experiment="agents"))
    """

    def __init__(self, **options: Any) -> None:
        pipeline = shared().new_pipeline()
        pipeline.configure(changed(Options(), options, pipeline.report.warn))
        setattr(self, MARKER, True)
        super().__init__(pipeline)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self._pipeline.is_enabled:
            silence_on_the_same_provider(span, self._pipeline.report.info)
        super().on_start(span, parent_context)
