"""A small language for OTLP traces: spans by name, ids from names, times in milliseconds after one fixed instant."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

# 2026-11-02T12:00:00Z in nanoseconds.
BASE_NS = 1_793_620_800 * 10**9
MILLISECOND_NS = 10**6

SERVICE = {"service.name": "hand-built", "openinference.project.name": "hand-built"}

OK, ERROR = Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR


@dataclass(frozen=True)
class Case:
    """A finished payload and the sentence for the manifest."""

    about: str
    body: bytes
    suffix: str = ".pb"


@dataclass
class Trace:
    """Spans of one trace, in the order they are added. `name` decides the ids."""

    name: str
    resource: Mapping[str, object] = field(default_factory=lambda: SERVICE)
    spans: list[Span] = field(default_factory=list)

    @property
    def trace_id(self) -> bytes:
        return _digest(self.name, 16)

    def span_id(self, span_name: str) -> bytes:
        return _digest(f"{self.name}/{span_name}", 8)

    def span(
        self,
        name: str,
        kind: object = None,
        attributes: Mapping[str, object] | None = None,
        *,
        parent: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        status: int = 0,
        message: str = "",
    ) -> Span:
        """Add a span and return it for what is not worth a parameter.

        `kind` becomes `openinference.span.kind`. Without times, the n-th span starts n and ends 100 − n milliseconds
        after the fixed instant, so that children lie within their parents.
        """
        position = len(self.spans)
        start = position if start_ms is None else start_ms
        end = max(100 - position, start) if end_ms is None else end_ms
        span = Span(
            trace_id=self.trace_id,
            span_id=self.span_id(name),
            name=name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=at(start),
            end_time_unix_nano=at(end),
        )
        if parent is not None:
            span.parent_span_id = self.span_id(parent)
        if status or message:
            span.status.CopyFrom(Status(code=status, message=message))
        if kind is not None:
            add_attributes(span.attributes, {"openinference.span.kind": kind})
        add_attributes(span.attributes, attributes or {})
        self.spans.append(span)
        return span

    def resource_spans(self) -> ResourceSpans:
        found = ResourceSpans()
        add_attributes(found.resource.attributes, self.resource)
        scope_spans = found.scope_spans.add()
        scope_spans.scope.name = "hand-built"
        scope_spans.spans.extend(self.spans)
        return found


def at(milliseconds: int) -> int:
    """That long after the fixed instant, in OTLP's nanoseconds."""
    return BASE_NS + milliseconds * MILLISECOND_NS


def payload(about: str, *traces: Trace) -> Case:
    return Case(about, request(*traces).SerializeToString(deterministic=True))


def request(*traces: Trace) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(resource_spans=[trace.resource_spans() for trace in traces])


def siblings(case: str, kind: str | None, variants: Mapping[str, Mapping[str, object]]) -> Trace:
    """One root CHAIN and a child for each variant, named after it."""
    trace = Trace(case)
    trace.span("root", "CHAIN")
    for name, attributes in variants.items():
        trace.span(name, kind, attributes, parent="root")
    return trace


def add_attributes(target, attributes: Mapping[str, object]) -> None:
    target.extend(KeyValue(key=key, value=any_value(value)) for key, value in attributes.items())


def any_value(value: object) -> AnyValue:
    """Python's types map to OTLP's; `None` is a value that is not set."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list() | tuple():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
        case dict():
            pairs = [KeyValue(key=key, value=any_value(item)) for key, item in value.items()]
            return AnyValue(kvlist_value=KeyValueList(values=pairs))
    raise TypeError(f"no OTLP value for {type(value).__name__}")


def _digest(name: str, length: int) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:length]
