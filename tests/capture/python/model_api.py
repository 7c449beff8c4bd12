"""A model API of any provider, on loopback: it gives scripted answers in order, whatever the request.

A scenario names its answers, files of `capture/answers/`: `.json` is one body, `.sse` a stream of server-sent events.
`refusing(…)` is an answer with an error status. An answer that is left over, or a question too many, fails the
scenario.
"""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer

ANSWERS = Path(__file__).resolve().parents[1] / "answers"
_ECHOED = ("instructions", "tools")
_CONTENT_TYPES = {".json": "application/json", ".sse": "text/event-stream"}


@dataclass(frozen=True)
class Answer:
    """What one request gets: `content_type` decides how the client reads `body`."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200


def from_file(name: str) -> Answer:
    path = ANSWERS / name
    return Answer(path.read_bytes(), _CONTENT_TYPES[path.suffix])


def refusing(name: str, status: int) -> Answer:
    return replace(from_file(name), status=status)


class ModelApi(LoopbackServer):
    """Use as a context manager."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self._answers: deque[Answer] = deque()
        self._excess: list[str] = []

    @contextmanager
    def answering(self, *answers: str | Answer) -> Iterator[None]:
        """For the block, answer with these in turn; afterwards each must have been asked for, and no more."""
        self._answers.extend(from_file(each) if isinstance(each, str) else each for each in answers)
        yield
        left, excess = len(self._answers), self._excess
        if left or excess:
            raise SystemExit(f"{left} answers were not asked for; asked without an answer: {excess}")

    def next_answer(self, request: str) -> Answer:
        if self._answers:
            return self._answers.popleft()
        self._excess.append(request)
        return Answer(b'{"error": {"message": "the scenario has no answer for this", "type": "mock"}}', status=400)


def _echoing(asked: bytes, answer: Answer) -> Answer:
    """OpenAI's Responses API repeats parts of the request in its answer, and instrumentors read them there."""
    request = json.loads(asked)
    echoed = {key: request[key] for key in _ECHOED if key in request}
    return replace(answer, body=json.dumps(json.loads(answer.body) | echoed).encode())


class _Handler(LoopbackHandler):
    owner: ModelApi

    def do_POST(self) -> None:
        asked = self.body()
        answer = self.owner.next_answer(f"{self.command} {self.path}")
        if self.path.endswith("/responses") and answer.content_type == "application/json":
            answer = _echoing(asked, answer)
        self.answer(answer.status, {"content-type": answer.content_type}, answer.body)
