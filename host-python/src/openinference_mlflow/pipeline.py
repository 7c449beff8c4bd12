"""From a finished span to its delivery: the settings that hold now, and the deliveries that they and earlier ones made.

Nothing here raises into the application.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.delivery.delivery import Delivery
from openinference_mlflow.delivery.report import Report
from openinference_mlflow.delivery.worker import Worker
from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.settings import mlflow_client
from openinference_mlflow.settings.resolve import Options, Settings, Target, resolve

_logger = logging.getLogger(__name__)

_COUNTS = ("received", "delivered", "dropped", "filtered", "quarantined", "pending", "pending_bytes")


def add_stats(every: Iterable[dict[str, int]]) -> dict[str, int]:
    """Sums of counts; zeros if there are none."""
    found = list(every)
    return {name: sum(each[name] for each in found) for name in _COUNTS}


class Pipeline:
    """See the module."""

    def __init__(self, worker: Worker, lineage: Lineage) -> None:
        self.report = Report()
        self.settings: Settings | None = None
        self._options = Options()
        self._mlflow_uri: str | None = None
        self.last_trace_id: int | None = None
        self._worker, self._lineage = worker, lineage
        self._delivery: Delivery | None = None
        self._deliveries: list[Delivery] = []

    @property
    def is_enabled(self) -> bool:
        return self.settings is not None and self.settings.is_enabled

    def configure(self, options: Options) -> Settings:
        """Spans that ended keep the destination they had; spans that end from now on follow the new settings."""
        self.report.silent = options.silent
        self._options, self._mlflow_uri = options, mlflow_client.tracking_uri_set_in_code()
        settings = resolve(options, self.report.warn)
        if self._delivery is None or self._delivery.settings != settings.delivery:
            found = [each for each in self._deliveries if each.settings == settings.delivery]
            if found:
                self._delivery = found[0]
            else:
                self._delivery = Delivery(settings.delivery, self.report, self._lineage, self._worker.wake)
                self._deliveries.append(self._delivery)
                self._worker.deliveries.append(self._delivery)
        preparation = self._delivery.preparation
        preparation.filter, preparation.mask = settings.filter, settings.mask
        self.settings = settings
        return settings

    def on_start(self, span: Any, parent_context: Context | None) -> None:
        try:
            self._lineage.started(span, parent_context)
        except Exception:
            _logger.debug("a span's parent cannot be read", exc_info=True)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            self._follow_mlflow()
            settings, delivery, context = self.settings, self._delivery, span.context
            if settings is None or not settings.is_enabled or delivery is None:
                return
            if context is None or not context.trace_flags.sampled:
                return
            if "mlflow.traceRequestId" in (span.attributes or ()):
                return  # MLflow's own SDK made this span and sends it itself.
            delivery.add(span, self._target(settings))
            if span.parent is None or span.parent.is_remote:
                self.last_trace_id = context.trace_id
                if not settings.delivery.batch:
                    self._worker.flush([delivery], settings.flush_millis)
        except Exception:
            _logger.debug("a span cannot be read", exc_info=True)

    def _follow_mlflow(self) -> None:
        """`mlflow.set_tracking_uri()` may be called at any time."""
        is_followed = self.settings is not None and self._options.tracking_uri is None
        if is_followed and mlflow_client.tracking_uri_set_in_code() != self._mlflow_uri:
            self.configure(self._options)

    def flush(self, limit_millis: int | None = None, patience_millis: int | None = None) -> bool:
        """Sends what ended, finished traces or not. Returns whether MLflow has it."""
        try:
            own = self.settings.flush_millis if self.settings is not None else 0
            patience = own if patience_millis is None else min(own, patience_millis)
            return self._worker.flush(self._deliveries, patience, limit_millis)
        except Exception:
            _logger.debug("the flush failed", exc_info=True)
            return False

    def send_feedback(self, trace_json: bytes) -> None:
        """Queues feedback that is encoded already; see `feedback`."""
        if self._delivery is not None and self.settings is not None and self.settings.is_enabled:
            self._delivery.add_feedback(trace_json, self._target(self.settings))

    def experiment_id(self) -> str | None:
        """The experiment of spans that end now, once its id is known. Unity Catalog has none."""
        if self.settings is None or self._delivery is None or self.settings.delivery.trace_location is not None:
            return None
        target, driver = self._target(self.settings), self._delivery.driver
        return target.experiment_id or driver.experiment_ids.get(target.experiment_name or "") or driver.last_experiment

    def stats(self) -> dict[str, int]:
        return add_stats(each.stats() for each in self._deliveries)

    @staticmethod
    def _target(settings: Settings) -> Target:
        if settings.follows_mlflow and (active := mlflow_client.active_experiment_id()) is not None:
            return settings.target._replace(experiment_id=active, experiment_name=None)
        return settings.target
