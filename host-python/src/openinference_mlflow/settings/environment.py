"""Environment variables, read when they are needed and never at import. Empty is unset."""

from __future__ import annotations

import os
from collections.abc import Callable

Complain = Callable[[str], None]


def read_text(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def read_boolean(name: str, complain: Complain) -> bool | None:
    """As MLflow reads booleans: `true`, `false`, `1`, `0`, in any case."""
    text = (read_text(name) or "").lower()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    if text:
        complain(f"{name} is ignored: expected true, false, 1 or 0")
    return None


def read_count(name: str, complain: Complain) -> int | None:
    """As OpenTelemetry reads the numbers of `OTEL_BSP_*`: whole and positive."""
    text = read_text(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    complain(f"{name} is ignored: expected a whole number above 0")
    return None
