"""Clients that send known spans over gRPC and HTTP, and keep what was refused for another attempt, as exporters do."""

import json
import random
import threading

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from capture.handbuilt.builder import Trace, request
from e2e.conservation.account import Account, SpanIds
from e2e.harness.gateway import Gateway
from e2e.harness.http import request as http_request

_PAUSE_S = 0.1
_ATTEMPTS = 3
_TIMEOUT_S = 5.0
_RETRYABLE_HTTP = {429, 502, 503, 504}
# https://opentelemetry.io/docs/specs/otlp/#failures: the last one only when a RetryInfo comes with it.
_RETRYABLE_GRPC = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


class Client(threading.Thread):
    """Sends one export after the other until it is stopped. Everything it does follows from its seed."""

    def __init__(self, number: int, seed: int, gateway: Gateway, account: Account) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._random = random.Random(f"{seed}/{number}")
        self._name = f"conservation/{seed}/{number}"
        self._send = (self._protobuf, self._json, self._grpc)[number % 3]
        self._gateway = gateway
        self._account = account
        self._over = threading.Event()
        self.failure: BaseException | None = None

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        try:
            number = 0
            while not self._over.wait(self._random.uniform(0, 2 * _PAUSE_S)):
                self._export(number)
                number += 1
        except BaseException as failure:  # the oracle reports it: a thread's own exception is lost
            self.failure = failure

    def _export(self, number: int) -> None:
        traces = [self._trace(f"{self._name}/{number}/{each}") for each in range(self._random.randint(1, 3))]
        message = request(*traces)
        spans = set(span_ids(message))
        self._account.send(spans)
        for _ in range(_ATTEMPTS):
            if self._send(message):
                self._account.acknowledge(spans)
                return
            if self._over.wait(self._random.uniform(0, 0.5)):
                return

    def _trace(self, name: str) -> Trace:
        trace = Trace(name, {"service.name": "conservation"})
        trace.span("agent", "AGENT", {"input.value": "question", "output.value": name})
        for child in range(self._random.randint(0, 4)):
            trace.span(f"call {child}", "LLM", {"llm.model_name": "m", "input.value": "x" * 500}, parent="agent")
        return trace

    def _protobuf(self, message: ExportTraceServiceRequest) -> bool:
        return export(self._gateway, message.SerializeToString(), "application/x-protobuf", self._account)

    def _json(self, message: ExportTraceServiceRequest) -> bool:
        return export(self._gateway, json.dumps(_otlp_json(message)).encode(), "application/json", self._account)

    def _grpc(self, message: ExportTraceServiceRequest) -> bool:
        with grpc.insecure_channel(self._gateway.grpc_target) as channel:
            try:
                TraceServiceStub(channel).Export(message, timeout=_TIMEOUT_S)
                return True
            except grpc.RpcError as error:
                hinted = any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
                exhausted = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and hinted
                self._account.refuse(f"gRPC {error.code().name}", error.code() in _RETRYABLE_GRPC or exhausted)
                return False


def export(gateway: Gateway, body: bytes, content_type: str, account: Account) -> bool:
    """One export over HTTP: whether it was acknowledged. What was said instead goes into the account."""
    try:
        answer = http_request("POST", gateway.traces_url, body, {"content-type": content_type})
    except OSError:
        return False  # nobody answered: the host is not there
    except Exception as broken:  # http.client has many names for an answer that breaks off
        account.refuse(type(broken).__name__, retryable=True)
        return False
    if answer.status == 200:
        return True
    hinted = answer.status != 503 or "retry-after" in answer.headers
    account.refuse(f"HTTP {answer.status}", answer.status in _RETRYABLE_HTTP and hinted)
    return False


def span_ids(message: ExportTraceServiceRequest) -> list[SpanIds]:
    spans = (span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans)
    return [(span.trace_id.hex(), span.span_id.hex()) for span in spans]


def _otlp_json(message: ExportTraceServiceRequest) -> dict:
    """protobuf's JSON but for ids, which OTLP writes in hexadecimal."""
    as_json = MessageToDict(message, use_integers_for_enums=True)
    spans = (span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans)
    written = (
        span
        for resource in as_json["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    )
    for span, dictionary in zip(spans, written, strict=True):
        dictionary |= {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
        if span.parent_span_id:
            dictionary["parentSpanId"] = span.parent_span_id.hex()
    return as_json


def spans_of(body: bytes, content_type: str) -> list[SpanIds]:
    """What a destination found in a body that was forwarded to it."""
    if content_type == "application/json":
        spans = (s for r in json.loads(body)["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"])
        return [(span["traceId"], span["spanId"]) for span in spans]
    return span_ids(ExportTraceServiceRequest.FromString(body))
