"""What stands behind the host: a proxy that makes a real MLflow misbehave, and an inbox that can be away."""

import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TIMEOUT_S = 20.0
_SLOW_S = 0.5
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}

# What the proxy does with a request. The last forwards it and breaks the answer off: MLflow has what it was sent.
MOODS = ("well", "slow", "500", "503", "429", "garbage", "silent", "cut")


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.hang_up()  # whoever asked was killed meanwhile

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line in the test's output."""


class _Server:
    def __init__(self, handler: type[_Quiet]) -> None:
        bound = type("_Bound", (handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FaultProxy(_Server):
    """In front of an MLflow server on loopback; `mood` is one of `MOODS`."""

    def __init__(self, port: int) -> None:
        super().__init__(_Proxied)
        self.port = port
        self.mood = "well"


class _Proxied(_Quiet):
    owner: FaultProxy

    def _pass_on(self) -> None:
        body, mood = self.body(), self.owner.mood
        match mood:
            case "500" | "503":
                return self.answer(int(mood), {"content-type": "text/plain"}, b"not now")
            case "429":
                return self.answer(429, {"retry-after": "1"}, b"")
            case "garbage":
                return self.answer(200, {"content-type": "text/html"}, b"<html>\xff log in</html>")
            case "silent":
                return self.hang_up()
            case "slow":
                time.sleep(_SLOW_S)
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.port, timeout=_TIMEOUT_S)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP | {"host"}}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return self.hang_up()
        finally:
            connection.close()
        if mood == "cut":
            return self.hang_up()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        return self.answer(response.status, kept, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on


class Inbox(_Server):
    """An OTLP/HTTP endpoint that keeps what it takes, with its content type; while it is `away` it takes nothing."""

    def __init__(self) -> None:
        super().__init__(_Delivered)
        self.away = False
        self.taken: list[tuple[bytes, str]] = []


class _Delivered(_Quiet):
    owner: Inbox

    def do_POST(self) -> None:
        body = self.body()
        if self.owner.away:
            return self.answer(503, {}, b"")
        self.owner.taken.append((body, self.headers["content-type"]))
        return self.answer(200, {"content-type": "application/x-protobuf"}, b"")
