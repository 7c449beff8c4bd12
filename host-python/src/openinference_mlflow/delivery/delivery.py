"""Spans to one MLflow server: a bounded backlog for the application, a driver for the background thread.

`add` runs on any thread of the application and does the least: it counts, measures and appends. `poll_once` runs on one
thread at a time and does everything else.
"""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.delivery.backlog import Backlog
from openinference_mlflow.delivery.driver import Driver, GivenUp
from openinference_mlflow.delivery.payloads import Payload
from openinference_mlflow.delivery.preparation import Preparation
from openinference_mlflow.delivery.report import Report
from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.settings.resolve import DeliverySettings, Target


class Delivery:
    """See the module."""

    def __init__(self, settings: DeliverySettings, report: Report, lineage: Lineage, wake: Callable[[], None]) -> None:
        self.settings = settings
        self.preparation = Preparation(lineage, report.warn)
        self._report, self._wake = report, wake
        self.reset()

    def reset(self) -> None:
        """Forgets everything: a forked child begins anew, and its parent delivers what the parent had."""
        self._backlog = Backlog(self.settings.max_queue_bytes, self.settings.max_queue_spans)
        self.driver = Driver(self.settings, self._backlog, self.preparation, self._report)
        self._is_broken = False
        self._is_busy = False

    # On the application's threads.

    def add(self, span: ReadableSpan, target: Target) -> None:
        """Takes a finished span; drops and counts it when there is no room."""
        if self._is_broken:
            self._backlog.count_dropped()
        elif self._backlog.add(span, target):
            self._wake()
        else:
            self._report.warn(
                "spans are dropped: MLflow takes them more slowly than the application makes them", "full"
            )

    def add_feedback(self, trace_json: bytes, target: Target) -> None:
        """Takes a trace in MLflow's JSON; its assessments are delivered, it has no spans."""
        if self._is_broken or not self._backlog.add_payload(Payload(trace_json, target, 0, "trace-json")):
            self._report.warn("feedback is dropped: too much waits for MLflow", "feedback")
        else:
            self._wake()

    def is_through(self) -> bool:
        """Whether everything that came in is in MLflow, or dropped or quarantined, and counted."""
        return self._is_broken or not (self._backlog or self._is_busy)

    def stats(self) -> dict[str, int]:
        """See `openinference_mlflow.stats`."""
        return self._backlog.stats()

    # On the background thread.

    def poll_once(self) -> int | None:
        """Does what is due. Returns when to come again; `None`: after the next span."""
        if self._is_broken:
            return None
        self._is_busy = True
        try:
            return self.driver.turn()
        except GivenUp as error:
            # A damaged installation: the application goes on without this package.
            self._is_broken = True
            self._backlog.drop_all()
            self._report.warn(f"traces are no longer collected: {error}")
            return None
        finally:
            self._is_busy = False
