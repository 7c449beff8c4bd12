"""A proxy that makes a real MLflow misbehave."""

import http.client
import time

from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer

_TIMEOUT_S = 20.0
_SLOW_S = 0.5
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}

# What the proxy does with a request. The last forwards it and breaks the answer off: MLflow has what it was sent.
FAULT_MODES = ("well", "slow", "500", "503", "429", "garbage", "silent", "cut")


class FaultProxy(LoopbackServer):
    """In front of an MLflow server on loopback; `fault_mode` is one of `FAULT_MODES`."""

    def __init__(self, mlflow_port: int) -> None:
        super().__init__(_Proxied)
        self.mlflow_port = mlflow_port
        self.fault_mode = "well"
        # How many exports of spans get through until all others are answered 503. None: all.
        self.exports_left: int | None = None

    def takes_export(self) -> bool:
        if self.exports_left is None:
            return True
        self.exports_left = max(0, self.exports_left - 1)
        return self.exports_left > 0


class _Proxied(LoopbackHandler):
    owner: FaultProxy

    def _pass_on(self) -> None:
        body, fault_mode = self.body(), self.owner.fault_mode
        if self.path.endswith("/v1/traces") and not self.owner.takes_export():
            fault_mode = "503"
        match fault_mode:
            case "500" | "503":
                return self.answer(int(fault_mode), {"content-type": "text/plain"}, b"not now")
            case "429":
                return self.answer(429, {"retry-after": "1"})
            case "garbage":
                return self.answer(200, {"content-type": "text/html"}, b"<html>\xff log in</html>")
            case "silent":
                return self.hang_up()
            case "slow":
                time.sleep(_SLOW_S)
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.mlflow_port, timeout=_TIMEOUT_S)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP | {"host"}}
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return self.hang_up()
        finally:
            connection.close()
        if fault_mode == "cut":
            return self.hang_up()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        return self.answer(response.status, kept, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on
