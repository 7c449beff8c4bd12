"""Options as an application may give them: of any type. A bad value is named and left out, so that the environment or
the default decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from openinference_mlflow.settings.environment import Complain


class _Check(NamedTuple):
    expected: str
    # Returns a usable value, or `None` for a bad one.
    read: Callable[[Any], Any]
    is_secret: bool = False


def _of(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


def _experiment_id(value: Any) -> str | None:
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _seconds(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else None


def _headers(value: Any) -> dict[str, str] | None:
    """Names and values that HTTP allows (RFC 9110), names in lower case."""
    if not isinstance(value, Mapping):
        return None
    pairs = {str(name).lower(): str(text) for name, text in value.items()}
    usable = all(
        re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", name) and re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", text)
        for name, text in pairs.items()
    )
    return pairs if usable else None


_FLAG = _Check("True or False", _of(bool))
_TEXT = _Check("a string", _of(str))
_SECRET = _Check("a string", _of(str), is_secret=True)
_HOOK = _Check("a function", lambda value: value if callable(value) else None)
_COUNT = _Check("a whole number above 0", _count)

_CHECKS = {
    "batch": _FLAG,
    "disable": _FLAG,
    "silent": _FLAG,
    "log_traces": _FLAG,
    "tracking_uri": _Check("an address such as http://127.0.0.1:5000", _of(str), is_secret=True),
    "experiment": _TEXT,
    "experiment_id": _Check("a number as MLflow numbers experiments", _experiment_id),
    "run_id": _TEXT,
    "workspace": _TEXT,
    "trace_location": _TEXT,
    "filter": _HOOK,
    "mask": _HOOK,
    "openinference_only": _FLAG,
    "attachments": _FLAG,
    "attachment_max_bytes": _COUNT,
    "username": _TEXT,
    "password": _SECRET,
    "token": _SECRET,
    "headers": _Check("a dictionary of valid HTTP headers", _headers, is_secret=True),
    "flush_on_exit": _FLAG,
    "flush_on_signals": _FLAG,
    "flush_timeout": _Check("seconds above 0", _seconds),
    "max_queue_bytes": _COUNT,
    "max_queue_spans": _COUNT,
}


def checked(given: Mapping[str, Any], complain: Complain) -> dict[str, Any]:
    """The usable options. `None` stays: it leaves an option to the environment or the default."""
    usable: dict[str, Any] = {}
    for name, value in given.items():
        check = _CHECKS.get(name)
        if check is None:
            complain(f"the option {name} is not known")
            continue
        usable[name] = None if value is None else check.read(value)
        if value is not None and usable[name] is None:
            del usable[name]
            seen = f"a {type(value).__name__}" if check.is_secret else f"{value!r:.60}"
            complain(f"the option {name} is ignored: expected {check.expected}, got {seen}")
    return usable
