"""As much of MLflow as whole traces need, in this process, for runs that are too many for a real server. It stores a span
over itself, and refuses what MLflow would: a request with one bad span in it."""

import json
from collections.abc import Set

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.conservation.account import SpanIds
from e2e.conservation.clients import span_ids
from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer

_EXPERIMENT = {"experiment": {"experiment_id": "0", "lifecycle_stage": "active"}}
_REFUSAL = {"error_code": "INVALID_PARAMETER_VALUE", "message": "it cannot be stored"}


class PretendMlflow(LoopbackServer):
    """Use as a context manager. `refused` are the spans that it will never store."""

    def __init__(self, refused: Set[SpanIds]) -> None:
        super().__init__(_Handler)
        self.refused = refused
        self.stored: set[SpanIds] = set()


class _Handler(LoopbackHandler):
    owner: PretendMlflow

    def do_GET(self) -> None:
        self.body()
        if self.path == "/version":
            return self.answer(200, {"content-type": "text/plain"}, b"3.17.2")
        return self._say(200, _EXPERIMENT)

    def do_POST(self) -> None:
        body = self.body()
        if self.path != "/v1/traces":
            return self._say(200, {})
        spans = set(span_ids(ExportTraceServiceRequest.FromString(body)))
        if spans & self.owner.refused:
            return self._say(400, _REFUSAL)
        self.owner.stored |= spans
        return self._say(200, {})

    def _say(self, status: int, content: dict) -> None:
        self.answer(status, {"content-type": "application/json"}, json.dumps(content).encode())
