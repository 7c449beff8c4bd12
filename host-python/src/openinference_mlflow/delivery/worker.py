"""The one background thread: it drives every delivery, and sleeps until a span comes or something is due."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context

from openinference_mlflow.delivery.clock import now
from openinference_mlflow.delivery.delivery import Delivery
from openinference_mlflow.delivery.driver import Driver

# More spans usually follow at once: a moment of waiting makes payloads of many.
LINGER_SECONDS = 0.025
# A flush waits no longer than this for a server that does not answer.
UNREACHABLE_MILLIS = 2_000


class Worker:
    """Started by the first span of each process."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self._turn_lock = threading.Lock()
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._turned = threading.Condition()

    def _after_fork(self) -> None:
        self._reset()
        for delivery in self.deliveries:
            delivery.reset()

    def wake(self) -> None:
        """There is something to do."""
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="openinference-mlflow", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # The interpreter is shutting down: the last flush does the work on its own thread.
            self._thread = thread

    def _run(self) -> None:
        try:
            with _suppressed_instrumentation():
                due: int | None = None
                while True:
                    self._wake.wait(None if due is None else max(0.0, (due - now()) / 1000))
                    self._urgent.wait(LINGER_SECONDS)
                    self._urgent.clear()
                    self._wake.clear()
                    due = self._turn()
        finally:
            # Whatever ended it: the next span starts another one.
            self._thread = None

    def _turn(self) -> int | None:
        with self._turn_lock:
            wakeups = [wakeup for each in list(self.deliveries) if (wakeup := each.poll_once()) is not None]
        with self._turned:
            self._turned.notify_all()
        return min(wakeups, default=None)

    def flush(self, deliveries: list[Delivery], patience_millis: int, limit_millis: int | None = None) -> bool:
        """Waits until these are through, or nothing moved for `patience_millis`. Returns whether they are through."""
        if self._thread is not None and threading.current_thread() is self._thread:
            return False  # A span that ends on the background thread itself cannot wait for it.
        start = now()
        for delivery in deliveries:
            delivery.driver.progress_at = max(delivery.driver.progress_at, start)
        nudged = 0
        while open_ones := [each for each in deliveries if not each.is_through()]:
            at = now()
            if limit_millis is not None and at - start >= limit_millis:
                return False
            if not any(self._is_moving(each.driver, at, patience_millis) for each in open_ones):
                return False
            if at - nudged >= 100:
                nudged = at
                for each in open_ones:
                    each.driver.flush_is_due = True
                self.wake()
                self._urgent.set()
            if self._thread is None or not self._thread.is_alive():
                with _suppressed_instrumentation():
                    self._turn()
                time.sleep(0.005)
            else:
                with self._turned:
                    self._turned.wait(0.02)
        return True

    @staticmethod
    def _is_moving(driver: Driver, at: int, patience_millis: int) -> bool:
        if driver.is_starting:
            return True
        is_silent = driver.silence_at > driver.progress_at
        return at - driver.progress_at < (min(patience_millis, UNREACHABLE_MILLIS) if is_silent else patience_millis)


@contextmanager
def _suppressed_instrumentation() -> Iterator[None]:
    """Requests of this package make no spans, which would have to be sent in turn."""
    context: Any = otel_context.get_current()
    for name in ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY"):
        key = getattr(otel_context, name, None)
        if key is not None:
            context = otel_context.set_value(key, True, context)
    token = otel_context.attach(otel_context.set_value("suppress_instrumentation", True, context))
    try:
        yield
    finally:
        otel_context.detach(token)
