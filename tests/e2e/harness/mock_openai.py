"""An OpenAI-compatible model API on loopback with fixed answers: what an application talks to in these tests.

Speaks chat completions (plain, tools, server-sent events), embeddings and responses. `mock_openai_answers` says what
it answers; the same request always gets the same bytes.
"""

import json

from e2e.harness import mock_openai_answers as answers
from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer


class MockOpenAI(LoopbackServer):
    """Use as a context manager."""

    def __init__(self) -> None:
        super().__init__(_Handler)

    @property
    def base_url(self) -> str:
        """For the OpenAI client's `base_url`."""
        return f"{self.uri}/v1"


class _Handler(LoopbackHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.body())
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
        headers = {"content-type": "application/json", "x-request-id": "req_fixed"}
        self.answer(status, headers, json.dumps(body).encode())

    def _send_events(self, chunks: list[dict]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.hang_up()
