"""A fake MLflow that keeps what it gets, and processes that run applications against it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# A shell ignores Ctrl-C for what it starts in the background. The programs that these tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
SOURCES = Path(__file__).resolve().parents[1] / "src"

MODEL_ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}


class FakeMlflow:
    """Answers like MLflow, and like a model API; `status` and `delay` make it fail or wait."""

    def __init__(self, port: int = 0) -> None:
        self.payloads: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.delay = 0.0
        # What it answers to a payload, if not `status`.
        self.judge: Callable[[bytes], int | None] = lambda body: None
        # Until it is set, no POST is answered; `None`: all are.
        self.is_free: threading.Event | None = None
        self._is_closed = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/version":
                    return self.reply(b"3.17.2")
                asked = parse_qs(urlsplit(self.path).query)
                number = asked.get("experiment_id", ["7"])[0]
                experiment = {"experiment_id": number, "name": "x", "lifecycle_stage": "active"}
                return self.reply(json.dumps({"experiment": experiment, "experiment_id": number}).encode())

            def do_POST(self) -> None:
                if self.path.endswith("/chat/completions"):
                    self.rfile.read(int(self.headers.get("content-length", 0)))
                    return self.reply(json.dumps(MODEL_ANSWER).encode())
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                fake.paths.append(self.path)
                fake.headers.append(dict(self.headers))
                time.sleep(fake.delay)
                if fake.is_free:
                    fake.is_free.wait(60)
                status = (fake.judge(body) if self.path == "/v1/traces" else None) or fake.status
                if self.path == "/v1/traces" and status == 200 and not fake._is_closed:
                    fake.payloads.append(body)
                return self.reply(b'{"experiment_id": "7", "detail": "no"}', status)

            def reply(self, body: bytes, status: int | None = None) -> None:
                if fake._is_closed:
                    self.close_connection = True
                    return
                self.send_response(status or fake.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                with contextlib.suppress(ConnectionError):  # The application has ended.
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.uri = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def spans(self) -> list:
        """Every span that arrived, in order; one that arrived twice is there twice."""
        found = []
        for body in self.payloads:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found.extend(scope.spans)
        return found

    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans())

    def close(self) -> None:
        """Ends, with the connections that are open."""
        self._is_closed = True
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def mlflow() -> Iterator[FakeMlflow]:
    server = FakeMlflow()
    yield server
    server.close()


PREAMBLE = """
import sys
sys.path.insert(0, {sources!r})
import openinference_mlflow as om
from opentelemetry import trace
def span(name, **attributes):
    return trace.get_tracer("test").start_as_current_span(
        name, attributes={{"openinference.span.kind": "CHAIN", **attributes}})
om.autolog(tracking_uri={uri!r}, experiment="x")
"""


def start_app(code: str, uri: str, **environment: str) -> subprocess.Popen:
    """Runs a program after `autolog()`, in a process of its own."""
    import os

    program = PREAMBLE.format(sources=str(SOURCES), uri=uri) + code
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=env | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def run_app(code: str, uri: str, **environment: str) -> subprocess.CompletedProcess:
    process = start_app(code, uri, **environment)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
