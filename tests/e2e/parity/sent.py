"""Attributes as they stand in a payload, of both encodings: MLflow shows texts that spell JSON as what they spell."""

import json
from collections.abc import Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from e2e.harness.payloads import Payload


def protobuf_spans(payload: Payload) -> Iterator[tuple[ResourceSpans, Span]]:
    """The spans as far as OTLP's own classes can read them."""
    if payload.content_type == "application/json":
        return
    try:
        message = ExportTraceServiceRequest.FromString(payload.body)
    except DecodeError:
        return
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from ((resource_spans, span) for span in scope_spans.spans)


def attributes(payload: Payload) -> Iterator[tuple[str, int, dict]]:
    """Span id, end and attributes of each span."""
    for _, span in protobuf_spans(payload):
        yield span.span_id.hex(), span.end_time_unix_nano, _entries(span.attributes)
    if payload.content_type == "application/json":
        for resource_spans in json.loads(payload.body)["resourceSpans"]:
            for scope_spans in resource_spans["scopeSpans"]:
                for span in scope_spans["spans"]:
                    entries = {each["key"]: _json_value(each["value"]) for each in span.get("attributes") or []}
                    yield span["spanId"].lower(), int(span.get("endTimeUnixNano") or 0), entries


def _entries(entries: list[KeyValue]) -> dict:
    return {each.key: _value(each.value) for each in entries}


def _value(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _entries(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def _json_value(value: dict) -> object:
    match value:
        case {"intValue": number}:
            return int(number)
        case {"arrayValue": array}:
            return [_json_value(item) for item in array.get("values") or []]
        case {"kvlistValue": entries}:
            return {each["key"]: _json_value(each["value"]) for each in entries.get("values") or []}
    return next(iter(value.values()), None)
