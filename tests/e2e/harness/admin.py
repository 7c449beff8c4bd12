"""The gateway's admin address."""

import re
import time
import urllib.request

from e2e.harness.wait import eventually

_REQUESTS = re.compile(r"^openinference_mlflow_request_duration_seconds_count.*", re.MULTILINE)
_OPEN_SPANS = re.compile(r"^openinference_mlflow_open_spans (\d+)$", re.MULTILINE)


def wait_until_idle(admin: str, within: float = 120.0) -> None:
    """Return when the gateway holds no undelivered span and has made no request to MLflow for a while.

    Its end does not wait for optional requests, so a test that looks at previews waits for them.
    """
    eventually(lambda: _is_idle(admin), "no more requests to MLflow", within)


def _is_idle(admin: str) -> bool:
    before = _metrics(admin)
    time.sleep(3)
    after = _metrics(admin)
    return _OPEN_SPANS.search(after)[1] == "0" and _REQUESTS.findall(before) == _REQUESTS.findall(after)


def _metrics(admin: str) -> str:
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
        return answer.read().decode()
