"""OTLP payloads: the fixtures, their two encodings, and posting them with trace ids of their own.

MLflow keys its store by trace id, and a trace stays in the first experiment that saw it. So the same payload can be
stored twice on one server only when one copy carries other trace ids: `with_own_traces` gives every use its own.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.harness.http import Answer, request

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/otlp"

_JSON = "application/json"
_CONTENT_TYPES = {".pb": "application/x-protobuf", ".json": _JSON}


@dataclass(frozen=True)
class Payload:
    """One OTLP request body and how it is encoded."""

    name: str
    body: bytes
    content_type: str
    # Trace ids in lower-case hexadecimal: what the payload says now → what the fixture on disk says.
    original_ids: dict[str, str]

    @property
    def trace_ids(self) -> list[str]:
        return list(self.original_ids)

    def with_own_traces(self, use: str) -> "Payload":
        """The same payload with every trace id replaced by one that only `use` has; links follow.

        Nothing else changes: the body is not decoded and encoded again, so what is damaged in it stays damaged.
        """
        body, original = self.body, {}
        for old, first in self.original_ids.items():
            new = hashlib.sha256(f"{use}/{old}".encode()).hexdigest()[: len(old)]
            original[new] = first
            if not old:
                continue
            for spelt in (str, str.upper) if self.content_type == _JSON else (bytes.fromhex,):
                before, after = spelt(old), spelt(new)
                body = body.replace(*(each if isinstance(each, bytes) else each.encode() for each in (before, after)))
        return replace(self, body=body, original_ids=original)

    def post(self, url: str, headers: dict[str, str] | None = None) -> Answer:
        """Send it to an OTLP/HTTP endpoint (a full URL that ends in `/v1/traces`)."""
        return request("POST", url, self.body, {"content-type": self.content_type} | (headers or {}))

    def post_raw(self, mlflow_uri: str, experiment_id: str) -> Answer:
        """Send it to MLflow itself, which then translates it in its own way."""
        return self.post(f"{mlflow_uri}/v1/traces", {"x-mlflow-experiment-id": experiment_id})


def load(name: str) -> Payload:
    """A fixture by file name."""
    return read(FIXTURES / name)


def read(path: Path) -> Payload:
    return from_body(path.name, path.read_bytes(), _CONTENT_TYPES[path.suffix])


def from_message(name: str, message: ExportTraceServiceRequest) -> Payload:
    return from_body(name, message.SerializeToString(), _CONTENT_TYPES[".pb"])


def from_body(name: str, body: bytes, content_type: str) -> Payload:
    find = _json_trace_ids if content_type == _JSON else _protobuf_trace_ids
    return Payload(name, body, content_type, {each: each for each in find(body)})


def _protobuf_trace_ids(body: bytes) -> list[str]:
    ids = _fields(body, 1, 2, 2, 1)  # ResourceSpans, ScopeSpans, Span, trace_id
    return list(dict.fromkeys(each.hex() for each in ids))


def _fields(message: bytes, *path: int) -> Iterator[bytes]:
    """The bytes fields at `path`, read without the message's type, so that invalid UTF-8 elsewhere does not matter."""
    number, *rest = path
    for field in UnknownFieldSet(Empty.FromString(message)):
        if field.field_number == number:
            yield from _fields(field.data, *rest) if rest else (field.data,)


def _json_trace_ids(body: bytes) -> list[str]:
    ids: dict[str, None] = {}

    def collect(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                collect(item)
        elif isinstance(node, dict):
            for span in node.get("spans") or []:
                ids[span["traceId"].lower()] = None
            for value in node.values():
                collect(value)

    collect(json.loads(body))
    return list(ids)
