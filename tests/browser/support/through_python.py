"""Ends the spans of captured payloads as an application would, behind the Python package's span processor.

`through_python.py URI EXPERIMENT PAYLOAD…`, in an environment with OpenTelemetry's SDK and the package's requirements.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "host-python/src"))

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import openinference_mlflow


def value(of: AnyValue) -> Any:
    kind = of.WhichOneof("value")
    if kind == "array_value":
        return [value(each) for each in of.array_value.values]
    if kind == "kvlist_value":
        return attributes(of.kvlist_value.values)
    return getattr(of, kind) if kind else None


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: value(pair.value) for pair in pairs}


def context(trace_id: bytes, span_id: bytes) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int.from_bytes(trace_id), int.from_bytes(span_id), is_remote=False, trace_flags=flags)


def spans(payload: bytes) -> Iterator[ReadableSpan]:
    for of_resource in ExportTraceServiceRequest.FromString(payload).resource_spans:
        resource = Resource(attributes(of_resource.resource.attributes))
        for of_scope in of_resource.scope_spans:
            scope = InstrumentationScope(of_scope.scope.name, of_scope.scope.version)
            for span in of_scope.spans:
                yield ReadableSpan(
                    name=span.name,
                    context=context(span.trace_id, span.span_id),
                    parent=context(span.trace_id, span.parent_span_id) if span.parent_span_id else None,
                    resource=resource,
                    attributes=attributes(span.attributes),
                    events=[Event(e.name, attributes(e.attributes), e.time_unix_nano) for e in span.events],
                    links=[Link(context(ln.trace_id, ln.span_id), attributes(ln.attributes)) for ln in span.links],
                    kind=SpanKind(max(0, span.kind - 1)),
                    instrumentation_scope=scope,
                    status=Status(StatusCode(span.status.code), span.status.message or None),
                    start_time=span.start_time_unix_nano,
                    end_time=span.end_time_unix_nano,
                )


uri, experiment, *files = sys.argv[1:]
processor = openinference_mlflow.MlflowSpanProcessor(tracking_uri=uri, experiment=experiment, silent=True)
for file in files:
    for span in sorted(spans(Path(file).read_bytes()), key=lambda span: span.end_time or 0):
        processor.on_end(span)
assert openinference_mlflow.flush(120), openinference_mlflow.stats()
print(openinference_mlflow.stats())
