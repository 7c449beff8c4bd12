"""An OTLP/HTTP endpoint on loopback that keeps every body it is sent, as an exporter sent it."""

import gzip
from dataclasses import dataclass

from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer


@dataclass(frozen=True)
class Taken:
    body: bytes
    content_type: str


class OtlpSink(LoopbackServer):
    """Use as a context manager. Answers every export with success; while it is `away` it takes nothing, and says 503."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.away = False
        self.taken: list[Taken] = []

    @property
    def traces_url(self) -> str:
        return f"{self.uri}/v1/traces"

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in list(self.taken)]


class _Handler(LoopbackHandler):
    owner: OtlpSink

    def do_POST(self) -> None:
        body = self.body()
        if self.owner.away:
            return self.answer(503, {})
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.owner.taken.append(Taken(body, self.headers["content-type"]))
        # An ExportTraceServiceResponse without a partial success is the empty message.
        return self.answer(200, {"content-type": "application/x-protobuf"})
