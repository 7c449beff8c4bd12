"""The spans of a process without a tracer provider.

The API hands out proxy tracers until a provider is set, and their spans record nothing. `follow` gives these tracers
an SDK tracer to use meanwhile. The global slot stays empty: `get_tracer_provider()` answers as before, and the
application's provider takes over as soon as it is set.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, Tracer


class OwnProvider:
    """Makes its SDK provider with the first span, because resource detection takes time."""

    def __init__(self, processor: SpanProcessor, is_enabled: Callable[[], bool]) -> None:
        self._processor, self._is_enabled = processor, is_enabled
        self._provider: TracerProvider | None = None
        self._tracers: dict[tuple[Any, ...], Tracer] = {}

    def follow(self) -> None:
        """Serves every proxy tracer, those that exist already included."""
        original: Callable[[Any], Tracer] = trace.ProxyTracer._tracer.fget  # type: ignore[attr-defined]
        own = self

        def tracer(proxy: Any) -> Any:
            found: Tracer = original(proxy)
            if found is not proxy._noop_tracer or not own._is_enabled():
                return found
            try:
                return own._tracer_of(proxy)
            except Exception:
                return found

        trace.ProxyTracer._tracer = property(tracer)  # type: ignore[assignment, method-assign]

    def _tracer_of(self, proxy: Any) -> Tracer:
        scope = (
            proxy._instrumenting_module_name,
            proxy._instrumenting_library_version,
            getattr(proxy, "_schema_url", None),
        )
        if self._provider is None:
            provider = TracerProvider(span_limits=_limits(), shutdown_on_exit=False)
            provider.add_span_processor(self._processor)
            self._provider = provider
        if scope not in self._tracers:
            self._tracers[scope] = _OwnTracer(self._provider.get_tracer(*scope))
        return self._tracers[scope]


class _OwnTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return _follow_provider(self._tracer.start_span(*args, **kwargs))

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        names = (
            "name",
            "context",
            "kind",
            "attributes",
            "links",
            "start_time",
            "record_exception",
            "set_status_on_exception",
        )
        given = dict(zip(names, args, strict=False)) | kwargs
        end_on_exit = args[8] if len(args) > 8 else given.pop("end_on_exit", True)
        return trace.use_span(
            self.start_span(**given),
            end_on_exit=end_on_exit,
            record_exception=given.get("record_exception", True),
            set_status_on_exception=given.get("set_status_on_exception", True),
        )


def _follow_provider(span: trace.Span) -> trace.Span:
    """Once there is a provider, the span shows what the API's own span would show: no context. See `lineage`."""
    if span.is_recording():
        true_context = span.get_span_context()

        def shown() -> SpanContext:
            return true_context if trace._TRACER_PROVIDER is None else INVALID_SPAN_CONTEXT

        span.openinference_mlflow_context = true_context  # type: ignore[attr-defined]
        span.get_span_context = shown  # type: ignore[method-assign]
    return span


def _limits() -> SpanLimits:
    """A long conversation has more than the SDK's 128 attributes; limits that the environment sets hold."""
    names = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")
    if any(os.environ.get(name) for name in names):
        return SpanLimits()
    return SpanLimits(max_attributes=SpanLimits.UNSET, max_span_attributes=SpanLimits.UNSET)
