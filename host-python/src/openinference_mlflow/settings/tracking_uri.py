"""The address of the MLflow server. Credentials are taken out of it, so that no message can show them."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from openinference_mlflow.settings.environment import Complain

DEFAULT_TRACKING_URI = "http://127.0.0.1:5000"


class TrackingUri(NamedTuple):
    """`address` has no credentials and no slash at its end."""

    address: str
    username: str
    password: str


def parse_tracking_uri(text: str, complain: Complain) -> TrackingUri | None:
    """Returns `None` for a URI to which nothing can be sent, and says why."""
    if not text:
        return TrackingUri(DEFAULT_TRACKING_URI, "", "")
    if re.match(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d+(/|$)", text):
        complain("the tracking URI has no scheme: http:// is taken; write http://host:port")
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https"):
        scheme = f"`{parts.scheme}:` URIs" if parts.scheme else "paths"
        complain(
            f"no traces are collected: {scheme} need MLflow's Python library; "
            "start `mlflow server` on that store and set its http:// address"
        )
        return None
    if not host:
        complain("no traces are collected: the tracking URI has no host; expected http://host:port")
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc += f":{port}"
    address = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    return TrackingUri(address, unquote(parts.username or ""), unquote(parts.password or ""))
