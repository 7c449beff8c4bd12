"""The clock of deliveries: the wall clock once, then a monotonic one."""

from __future__ import annotations

import time

_START = time.time() - time.monotonic()


def now() -> int:
    """Milliseconds since the Unix epoch that never run backwards."""
    return int((_START + time.monotonic()) * 1000)
