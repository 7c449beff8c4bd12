"""A span's true parent, where the application's provider must not see it.

While no provider is set, this package makes the spans. If the application sets its provider while such a span is
open, the provider's other processors must get what they would get without this package: spans without that parent. The
true parent is kept here, for MLflow alone.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

MAX_JOINED = 4096


class Lineage:
    """Remembers a bounded number of joined traces and of spans with another parent."""

    def __init__(self) -> None:
        self._traces: dict[int, int] = {}
        self._parents: dict[int, SpanContext] = {}

    def started(self, span: object, parent_context: Context | None) -> None:
        """A span of the application's provider starts; its true parent may be one of ours."""
        parent = trace.get_current_span(parent_context)
        true_context: SpanContext | None = getattr(parent, "openinference_mlflow_context", None)
        if true_context is None or parent.get_span_context().is_valid:
            return
        context: SpanContext = span.get_span_context()  # type: ignore[attr-defined]
        self._parents[context.span_id] = true_context
        self._traces[context.trace_id] = true_context.trace_id
        for remembered in (self._traces, self._parents):
            if len(remembered) > MAX_JOINED:
                del remembered[next(iter(remembered))]

    def true_contexts(self, span: ReadableSpan) -> tuple[SpanContext | None, SpanContext | None]:
        """The context and the parent to use in place of the span's own; `None` leaves each as it is."""
        context = span.context
        if not self._traces or context is None or context.trace_id not in self._traces:
            return None, None
        trace_id = self._traces[context.trace_id]
        return _in_trace(context, trace_id), self._parents.get(context.span_id) or (
            _in_trace(span.parent, trace_id) if span.parent else None
        )


def _in_trace(context: SpanContext, trace_id: int) -> SpanContext:
    return SpanContext(trace_id, context.span_id, context.is_remote, context.trace_flags, context.trace_state)
