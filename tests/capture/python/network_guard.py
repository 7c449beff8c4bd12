"""Restricts a capturing process to loopback. Call it before any instrumented package is imported.

Settings disable telemetry of frameworks, and connections to other machines fail: an audit hook
(https://docs.python.org/3/library/audit_events.html) refuses every connection and name lookup that is not loopback.
"""

import os
import sys

_LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None}

_QUIET = {
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "false",
    "AWS_EC2_METADATA_DISABLED": "true",
    "HAYSTACK_TELEMETRY_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",
    "LITELLM_TELEMETRY": "false",
    "NO_PROXY": "*",
    "no_proxy": "*",
}
_FOREIGN_SETTINGS = (
    *("ANTHROPIC_", "AWS_", "GEMINI_", "GOOGLE_", "LANGCHAIN_", "LANGSMITH_", "LITELLM_", "OPENAI_"),
    *("OPENINFERENCE_", "OTEL_", "PHOENIX_"),
)
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


def guard_network() -> None:
    """Removes settings that would steer a client from the environment and blocks other machines."""
    for key in list(os.environ):
        if key.startswith(_FOREIGN_SETTINGS) or key.lower() in _PROXIES:
            del os.environ[key]
    os.environ.update(_QUIET)
    sys.addaudithook(_refuse_other_machines)


def _refuse_other_machines(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in _LOOPBACK:
        raise ConnectionRefusedError(f"a capture stays on this machine, but {host} was asked for")
