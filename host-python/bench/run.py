"""What sending spans to MLflow costs a Python application: this package, `mlflow.otel.autolog()`, and OpenTelemetry's own
exporter. Writes docs/benchmarks/python.md.

All sides send to one stand-in server in this process, in rounds that take turns, so that a machine that slows down
slows all of them. Each run is a process of its own, and must deliver every span.
"""
# The lines of the page are longer.
# ruff: noqa: E501

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/benchmarks/python.md"
ROUNDS = int(os.environ.get("ROUNDS", "7"))
RATE = os.environ.get("RATE", "500")
SECONDS = os.environ.get("SECONDS", "4")

SIDES = {
    "none": "spans alone",
    "otlp": "OTLP exporter",
    "mlflow": "`mlflow.otel.autolog()`",
    "ours": "this package",
}
PACKAGES = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "mlflow", "wasmtime", "urllib3")


class StandIn(BaseHTTPRequestHandler):
    """Answers as MLflow does, and keeps what it gets."""

    protocol_version = "HTTP/1.1"
    bodies: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        experiment = {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"}
        self._answer(b"3.17.2" if self.path == "/version" else json.dumps({"experiment": experiment}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/v1/traces":
            self.bodies.append(body)
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def run(side: str, uri: str, cache: str, seconds: str = SECONDS) -> dict[str, float]:
    """One process of one side."""
    StandIn.bodies.clear()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}
    env |= {
        "PYTHONPATH": str(HERE.parent / "src"),
        "SIDE": side,
        "URI": uri,
        "RATE": RATE,
        "SECONDS": seconds,
        "OPENINFERENCE_MLFLOW_CACHE_DIR": cache,
    }
    done = subprocess.run([sys.executable, HERE / "app.py"], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    spans = {
        span.span_id
        for body in StandIn.bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert len(spans) == (0 if side == "none" else measured["spans"]), f"{side}: {len(spans)} of {measured['spans']}"
    return measured


def measure() -> tuple[dict[str, dict[str, float]], float]:
    """The best round of each side in each number, and the seconds to the first trace of the first process on a machine.

    The best one, because whatever else the machine does only adds to a number.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uri = f"http://127.0.0.1:{server.server_port}"
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    first: list[float] = []
    with tempfile.TemporaryDirectory() as cache:
        run("ours", uri, cache, "0.1")
        for number in range(ROUNDS):
            for side in SIDES:
                runs[side].append(run(side, uri, cache))
            with tempfile.TemporaryDirectory() as empty:
                first.append(run("ours", uri, empty, "0.1")["first_trace_seconds"])
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    server.shutdown()
    best = {side: {name: min(each[name] for each in found) for name in found[0]} for side, found in runs.items()}
    return best, min(first)


def page(best: dict[str, dict[str, float]], first: float) -> str:
    none = best["none"]
    lines = []
    for side, name in SIDES.items():
        costs = [
            best[side][key] - (0 if side == "none" else none[key])
            for key in ("thread_micros", "wall_micros", "process_micros")
        ]
        cells = [f"{cost:.0f}" for cost in costs] + [f"{best[side]['peak_mib']:.0f}"]
        times = ("import_seconds", "first_trace_seconds")
        cells += ["" if side == "none" else f"{best[side][key]:.2f}" for key in times]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"""# What sending spans costs a Python application

`make bench-python` wrote this page. {os.cpu_count()} cores of {cpu}, {platform.system()}, Python {platform.python_version()};
{versions}.

An application makes {RATE} spans a second for {SECONDS} seconds, as an OpenInference instrumentor does: traces of 10 spans, of which 9
have 47 attributes and 5 KB. All sides send to the same stand-in server on loopback, which answers at once. Each run is a process of
its own and delivers every span. {ROUNDS} rounds take turns; each number is that of the best round, because whatever else the machine does
only adds to it.

| | application's thread: CPU, µs a span | its time with waiting, µs a span | process: CPU, µs a span | peak memory, MiB | import, s | import to first trace, s |
|---|---:|---:|---:|---:|---:|---:|
{chr(10).join(lines)}

The first row is what making spans takes. The next rows say what a side adds to it in the first three columns, where a few µs are noise, and
the process's own values in the others. The first process on a machine compiles the translator on the background thread: it then takes {first:.2f} s from import to
the first trace in MLflow. This package sends spans that are translated; the other two send them as they are.
[What MLflow then shows](../../translator/README.md#what-mlflow-shows-alone-and-with-the-bridge) is compared on a page of its own.
"""


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    text = page(*measure())
    PAGE.write_text(text)
    print(text)
