"""Performs the core's requests with urllib3."""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.parse import urlsplit

import urllib3

from openinference_mlflow.settings.resolve import DeliverySettings

MAX_BODY = 1024 * 1024


class MlflowClient:
    """Connections to one server. `request` never raises: an error is the answer `no_answer`."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._settings = settings
        self._pool: Any = None

    def request(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer as the module's `complete` takes it, and its body."""
        try:
            if self._pool is None:
                self._pool = _pool(self._settings)
            response = self._pool.request(
                request["method"],
                f"{self._settings.tracking_uri}/{request['path']}",
                headers=dict(request["headers"]) | dict(self._settings.headers),
                body=request["body"] if request["method"] != "GET" else None,
                timeout=urllib3.Timeout(total=request["timeout"] / 1000),
                retries=urllib3.Retry(connect=0, read=0, redirect=3, status=0, other=0),
                preload_content=False,
            )
            body = response.read(MAX_BODY, decode_content=True)
            response.drain_conn()
            response.release_conn()
            headers = [(name.lower(), value) for name, value in response.headers.items()]
            return {"response": {"status": response.status, "headers": headers}}, body
        except Exception as error:
            return {"no_answer": _describe(error, request["timeout"])}, b""


def _pool(settings: DeliverySettings) -> Any:
    tls: dict[str, Any] = {}
    if settings.tracking_uri.startswith("https:"):
        tls = {"cert_reqs": "CERT_NONE" if settings.insecure_tls else "CERT_REQUIRED"}
        if settings.server_cert_path:
            tls["ca_certs"] = settings.server_cert_path
        if settings.client_cert_path:
            tls["cert_file"] = settings.client_cert_path
        if settings.insecure_tls:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    parts = urlsplit(settings.tracking_uri)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy if "://" in proxy else f"http://{proxy}", **tls)
    return urllib3.PoolManager(**tls)


def _describe(error: BaseException, timeout: int) -> str:
    """What went wrong, without anything of the request."""
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    # urllib3 counts a refused connection among the timeouts.
    is_refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, urllib3.exceptions.TimeoutError) and not is_refused:
        return f"no answer within {timeout} ms"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the server closed the connection"
    cause = error.__cause__ or error.__context__
    text = getattr(cause, "strerror", None) or getattr(error, "strerror", None)
    return str(text) if text else type(error).__name__
