"""Waiting for something to become true, with a bound. Tests never sleep for a fixed time and hope."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_S = 0.05


class WaitAborted(AssertionError):
    """Raised by a probe when waiting longer cannot help."""


def eventually(probe: Callable[[], T], what: str, within: float = 30.0) -> T:
    """Call `probe` until it returns something truthy, and return that.

    An exception from `probe` counts as "not yet", except `WaitAborted`; the last one is the cause of the final error.
    """
    deadline = time.monotonic() + within
    while True:
        problem: Exception | None = None
        found = None
        try:
            found = probe()
        except WaitAborted:
            raise
        except Exception as error:  # whatever it is, it is only "not yet"
            problem = error
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {within:g} s for {what}; last seen: {problem or found!r}") from problem
        time.sleep(_PAUSE_S)
