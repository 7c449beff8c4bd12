"""An OpenAI-compatible model API on loopback with fixed answers: what an application talks to in these tests.

Speaks chat completions (plain, tools, server-sent events), embeddings and responses. `mock_openai_answers` says what
it answers; the same request always gets the same bytes.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from e2e.harness import mock_openai_answers as answers


class MockOpenAI:
    """Use as a context manager."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="mock-openai", daemon=True)

    @property
    def base_url(self) -> str:
        """For the OpenAI client's `base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "MockOpenAI":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if refusal := answers.refusal(asked):
            status, body = refusal
            self._send_json(status, body)
        elif self.path == "/v1/chat/completions" and asked.get("stream"):
            self._send_events(answers.chat_chunks(asked))
        elif self.path == "/v1/chat/completions":
            self._send_json(200, answers.chat(asked))
        elif self.path == "/v1/embeddings":
            self._send_json(200, answers.embeddings(asked))
        elif self.path == "/v1/responses":
            self._send_json(200, answers.response(asked))
        else:
            self._send_json(404, answers.error("invalid_request_error", "unknown_url", f"Unknown URL: {self.path}"))

    def _send_json(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-request-id", "req_fixed")
        self.end_headers()
        self.wfile.write(content)

    def _send_events(self, chunks: list[dict]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line in the test's output."""
