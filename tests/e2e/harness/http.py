"""One plain HTTP request, and what came back. Standard library only, so that no client retries or rewrites anything."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def require(self, *statuses: int) -> "Answer":
        assert self.status in statuses, f"answered {self.status} instead of {statuses}: {self.body[:500]!r}"
        return self


def request(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Header names in the answer are lower case."""
    parts = urlsplit(url)
    assert parts.scheme == "http" and parts.hostname == "127.0.0.1", f"tests talk to loopback only, not to {url}"
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_S)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body or None, headers or {})
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, content)
    finally:
        connection.close()
