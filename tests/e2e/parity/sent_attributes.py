"""Attributes as a payload has them, of both encodings.

MLflow shows a text that spells JSON as what it spells."""

import json
from collections.abc import Iterable, Iterator
from functools import cache

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from e2e.harness.payloads import Payload

_JSON = "application/json"


def protobuf_spans(body: bytes, content_type: str) -> Iterator[tuple[ResourceSpans, Span]]:
    """The spans as far as OTLP's own classes can read them."""
    if content_type == _JSON:
        return
    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from ((resource_spans, span) for span in scope_spans.spans)


def attributes(payloads: Iterable[Payload]) -> dict[str, dict]:
    """What each span carries, by span id; of two versions of a span the later one."""
    versions = [version for payload in payloads for version in _versions(payload.body, payload.content_type)]
    return {span_id: found for span_id, _, found in sorted(versions, key=lambda version: version[1])}


@cache
def _versions(body: bytes, content_type: str) -> list[tuple[str, int, dict]]:
    """Span id, end and attributes."""
    if content_type == _JSON:
        return [
            (
                (span.get("spanId") or span["span_id"]).lower(),
                int(span.get("endTimeUnixNano") or 0),
                {each["key"]: _json_value(each["value"] or {}) for each in span.get("attributes") or []},
            )
            for span in _json_spans(json.loads(body))
        ]
    spans = (span for _, span in protobuf_spans(body, content_type))
    return [(span.span_id.hex(), span.end_time_unix_nano, _entries(span.attributes)) for span in spans]


def _json_spans(node: object) -> Iterator[dict]:
    """Wherever they are: keys may be spelt in two ways, and values may be null."""
    match node:
        case {"spans": list(spans)}:
            yield from spans
        case dict():
            for value in node.values():
                yield from _json_spans(value)
        case list():
            for item in node:
                yield from _json_spans(item)


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
