"""What a process costs and says, and what stands behind the gateways."""

import os
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from e2e.harness.gateway import Gateway
from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer
from e2e.harness.ports import free_ports

_TICKS = os.sysconf("SC_CLK_TCK")
# Each span of the load has this key once, and a gateway adds none.
_MARK = b"openinference.span.kind"


class MeasuredGateway(Gateway):
    """Leaving it kills it: what is left of the load is nobody's."""

    def __init__(self, folder: Path, *arguments: str, tracking_uri: str) -> None:
        (port,) = free_ports(1)
        self._metrics_uri = f"http://127.0.0.1:{port}/metrics"
        quiet = ("--admin-listen", f"127.0.0.1:{port}", "--settle", "200ms")
        super().__init__(folder, *quiet, *arguments, tracking_uri=tracking_uri)

    def __exit__(self, *_: object) -> None:
        self.kill()

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        with urllib.request.urlopen(self._metrics_uri, timeout=10) as answer:
            text = answer.read().decode()
        lines = re.findall(rf"^openinference_mlflow_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in lines)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)


class Sink(LoopbackServer):
    """Answers as MLflow does, at once, and counts spans. Use as a context manager."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.lock = Lock()
        self.spans = 0

    def wait_for(self, spans: int) -> None:
        wait_until(lambda: self.spans >= spans, f"{spans} spans to arrive")


class _Handler(LoopbackHandler):
    owner: Sink

    def do_GET(self) -> None:
        if self.path == "/version":
            return self.answer(200, {}, b"3.17.2")
        return self.answer(200, {}, b'{"experiment": {"experiment_id": "0", "lifecycle_stage": "active"}}')

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/v1/traces":
            spans = body.count(_MARK)
            with self.owner.lock:
                self.owner.spans += spans
        return self.answer(200, {"content-type": "application/json"}, b"{}")


def wait_until(is_so: Callable[[], bool], what: str, within: float = 300.0) -> None:
    """Looks more often than tests do."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.005)


def cpu_seconds(pid: int) -> float:
    """Of a process, of those in its session, and of its children: PostgreSQL's have sessions of their own."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything.
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if pid in (int(fields[1]), int(fields[3])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
