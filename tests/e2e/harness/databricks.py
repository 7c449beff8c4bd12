"""A Databricks workspace as far as its public documentation and MLflow's own client tell: never compared with a real one.

It takes spans into the tables that it has, and says whose token it is. Whatever else it is asked is kept as a fault, and so
is a request that lacks what the documentation names or carries what belongs to an MLflow server.

As a program (`python -m e2e.harness.databricks TABLE…`) it prints its address, and what it took as JSON when its standard
input ends.
"""

import json
import sys
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer

TOKEN = "dapi-for-tests-only"
EXPORT = ("POST", "/api/2.0/otel/v1/traces")
_WHO = ("GET", "/api/2.0/preview/scim/v2/Me")
# Beside its spans, MLflow's client asks for the host's configuration and writes trace infos.
_OF_THE_CLIENT = ("/.well-known/", "/api/4.0/mlflow/traces/")


@dataclass(frozen=True)
class Export:
    headers: dict[str, str]
    body: bytes

    @property
    def spans(self) -> list[Span]:
        message = ExportTraceServiceRequest.FromString(self.body)
        return [span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans]


class Workspace(LoopbackServer):
    """Use as a context manager: it ends with an error if it was asked what a workspace does not document."""

    def __init__(self, *tables: str) -> None:
        super().__init__(_Handler)
        self.token = TOKEN
        self.tables = set(tables)
        self.exports: list[Export] = []
        # Statuses of exports that were not taken.
        self.refusals: list[int] = []
        self.faults: list[str] = []

    @property
    def spans(self) -> list[Span]:
        return [span for export in list(self.exports) for span in export.spans]

    def __exit__(self, exception_type: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(exception_type, *rest)
        if exception_type is None:
            assert not self.faults, self.faults

    def variables(self) -> dict[str, str]:
        """What names this workspace in the environment."""
        return {"MLFLOW_TRACKING_URI": "databricks", "DATABRICKS_HOST": self.uri, "DATABRICKS_TOKEN": TOKEN}

    def profile(self, name: str) -> str:
        """What names it in `~/.databrickscfg`."""
        return f"[{name}]\nhost = {self.uri}\ntoken = {TOKEN}\n"


class _Handler(LoopbackHandler):
    owner: Workspace

    def do_POST(self) -> None:
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = (self.command, self.path)
        if asked not in (EXPORT, _WHO):
            if not self.path.startswith(_OF_THE_CLIENT):
                self.owner.faults.append(" ".join(asked))
            return self._refuse(404, "ENDPOINT_NOT_FOUND")
        if headers.get("authorization") != f"Bearer {self.owner.token}":
            return self._refuse(401, "UNAUTHENTICATED")
        if asked == _WHO:
            return self.answer(200, {"content-type": "application/scim+json"}, b"{}")
        self.owner.faults.extend(_faults(headers, body))
        if headers.get("x-databricks-uc-table-name") not in self.owner.tables:
            return self._refuse(404, "TABLE_OR_VIEW_NOT_FOUND")
        self.owner.exports.append(Export(headers, body))
        return self.answer(200, {"content-type": "application/x-protobuf"})

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

    def _refuse(self, status: int, code: str) -> None:
        if (self.command, self.path) == EXPORT:
            self.owner.refusals.append(status)
        self.answer(status, {"content-type": "application/json"}, json.dumps({"error_code": code}).encode())


def _faults(headers: dict[str, str], body: bytes) -> list[str]:
    faults = [f"header {name}" for name in headers if name.startswith("x-mlflow-") and "client-version" not in name]
    if headers.get("content-type") != "application/x-protobuf" or "content-encoding" in headers:
        faults.append(f"encoding {headers.get('content-type')} {headers.get('content-encoding')}")
    if not Export(headers, body).spans:
        faults.append("an export without spans")
    return faults


def _serve(*tables: str) -> None:
    workspace = Workspace(*tables)
    with workspace:
        print(workspace.uri, flush=True)
        sys.stdin.read()
        exports = [{"headers": each.headers, "spans": [*map(MessageToDict, each.spans)]} for each in workspace.exports]
        print(json.dumps({"exports": exports, "refusals": workspace.refusals}))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
