"""OTLP payloads: the fixtures, their two encodings, and posting them with trace ids of their own.

MLflow keys its store by trace id, and a trace stays in the first experiment that saw it. So the same payload can be
stored twice on one server only when one copy carries other trace ids: `with_own_traces` gives every use its own.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.harness.http import Answer, request

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/otlp"

_CONTENT_TYPES = {".pb": "application/x-protobuf", ".json": "application/json"}


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

        A body that MLflow's own decoder cannot read either stays as it is: nothing of it is ever stored.
        """
        renamed = {old: hashlib.sha256(f"{use}/{old}".encode()).hexdigest()[: len(old)] for old in self.trace_ids}
        original = {renamed[old]: first for old, first in self.original_ids.items()}
        if self.content_type == "application/json":
            text = self.body.decode("utf-8", errors="surrogatepass")
            for old, new in renamed.items():
                text = text.replace(old, new).replace(old.upper(), new.upper())
            return Payload(self.name, text.encode("utf-8", errors="surrogatepass"), self.content_type, original)
        try:
            message = ExportTraceServiceRequest.FromString(self.body)
        except DecodeError:
            return self
        by_bytes = {bytes.fromhex(old): bytes.fromhex(new) for old, new in renamed.items()}
        for span in _spans(message):
            span.trace_id = by_bytes.get(span.trace_id, span.trace_id)
            for link in span.links:
                link.trace_id = by_bytes.get(link.trace_id, link.trace_id)
        return Payload(self.name, message.SerializeToString(), self.content_type, original)

    def post(self, url: str, headers: dict[str, str] | None = None) -> Answer:
        """Send it to an OTLP/HTTP endpoint (a full URL that ends in `/v1/traces`)."""
        return request("POST", url, self.body, {"content-type": self.content_type} | (headers or {}))

    def post_raw(self, mlflow_uri: str, experiment_id: str) -> Answer:
        """Send it to MLflow itself, which then translates it in its own way."""
        return self.post(f"{mlflow_uri}/v1/traces", {"x-mlflow-experiment-id": experiment_id})


def load(name: str) -> Payload:
    """A fixture by file name."""
    path = FIXTURES / name
    return from_body(name, path.read_bytes(), _CONTENT_TYPES[path.suffix])


def from_message(name: str, message: ExportTraceServiceRequest) -> Payload:
    return from_body(name, message.SerializeToString(), _CONTENT_TYPES[".pb"])


def from_body(name: str, body: bytes, content_type: str) -> Payload:
    find = _json_trace_ids if content_type == "application/json" else _protobuf_trace_ids
    return Payload(name, body, content_type, {each: each for each in find(body)})


def _spans(message: ExportTraceServiceRequest):
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _protobuf_trace_ids(body: bytes) -> list[str]:
    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return []
    return list(dict.fromkeys(span.trace_id.hex() for span in _spans(message)))


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
