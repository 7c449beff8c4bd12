"""Masks spans and encodes them with OpenTelemetry's own encoder. Runs on the background thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status

from openinference_mlflow.settings.hide import Mask

STATUS_KEY = "status.message"


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """One OTLP `ExportTraceServiceRequest`."""
    return bytes(encode_spans(spans).SerializeToString())


def copy_span(
    span: ReadableSpan,
    mask: Mask | None = None,
    context: SpanContext | None = None,
    parent: SpanContext | None = None,
) -> ReadableSpan:
    """The span with masked values, another context or another parent. A mask's exception is the caller's."""
    attributes: Callable[[Mapping[str, Any] | None], Any] = lambda values: _masked(values, mask)  # noqa: E731
    status = span.status
    if mask is not None and status.description is not None:
        description = mask(status.description, STATUS_KEY)
        status = Status(status.status_code, None if description is None else str(description))
    return ReadableSpan(
        name=span.name,
        context=context or span.context,
        parent=parent or span.parent,
        resource=span.resource,
        attributes=attributes(span.attributes),
        events=[Event(event.name, attributes(event.attributes), event.timestamp) for event in span.events],
        links=[Link(link.context, attributes(link.attributes)) for link in span.links],
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _masked(values: Mapping[str, Any] | None, mask: Mask | None) -> dict[str, Any]:
    if not values:
        return {}
    if mask is None:
        return dict(values)
    masked = {key: mask(value, key) for key, value in values.items()}
    return {key: value for key, value in masked.items() if value is not None}


def text_bytes(span: ReadableSpan) -> int:
    """Roughly what the span holds in memory: its strings. Cheap, because the application waits for it."""
    values = span.attributes or {}
    total = 512
    for value in getattr(values, "_dict", values).values():
        if type(value) is str:
            total += len(value)
    for event in span.events:
        total += sum(len(value) for value in (event.attributes or {}).values() if type(value) is str)
    return total
