"""An HTTP server in this process: on a free port of loopback, a thread for each connection, nothing on the terminal."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LoopbackServer:
    """Use as a context manager. What it does with requests is its handler's business, which knows it as `owner`."""

    def __init__(self, handler: type["LoopbackHandler"]) -> None:
        bound = type("_Bound", (handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name=type(self).__name__, daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def uri(self) -> str:
        """Without a path: `http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class LoopbackHandler(BaseHTTPRequestHandler):
    """One connection. `owner` is the server's class, with whatever that remembers."""

    owner: Any
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.hang_up()  # the client was killed meanwhile

    def hang_up(self) -> None:
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass  # the same, in the middle of a request

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line in the test's output."""
