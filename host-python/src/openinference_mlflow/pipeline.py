"""From a finished span to its delivery: the settings that hold now, and the deliveries that they and earlier ones made.

Nothing here raises into the application.
"""

from __future__ import annotations

import logging
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.delivery.delivery import Delivery
from openinference_mlflow.delivery.report import Report
from openinference_mlflow.delivery.worker import Worker
from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.settings import mlflow_client
from openinference_mlflow.settings.resolve import Options, Settings, Target, resolve

# A flush gives up after so long without progress.
FLUSH_MILLIS = 10_000

_logger = logging.getLogger(__name__)


class Pipeline:
    """See the module."""

    def __init__(self, worker: Worker, lineage: Lineage) -> None:
        self.report = Report()
        self.settings: Settings | None = None
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
        settings = resolve(options, self.report.warn)
        if self._delivery is None or self._delivery.settings != settings.delivery:
            found = [each for each in self._deliveries if each.settings == settings.delivery]
            if found:
                self._delivery = found[0]
            else:
                self._delivery = Delivery(settings.delivery, self.report, self._lineage, self._worker.wake)
                self._deliveries.append(self._delivery)
                self._worker.deliveries.append(self._delivery)
        self._delivery.filter, self._delivery.mask = settings.filter, settings.mask
        self.settings = settings
        return settings

    def on_start(self, span: Any, parent_context: Context | None) -> None:
        try:
            self._lineage.started(span, parent_context)
        except Exception:
            _logger.debug("a span's parent cannot be read", exc_info=True)

    def on_end(self, span: ReadableSpan) -> None:
        try:
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
                    self._worker.flush([delivery], FLUSH_MILLIS)
        except Exception:
            _logger.debug("a span cannot be read", exc_info=True)

    def flush(self, limit_millis: int | None = None, patience_millis: int = FLUSH_MILLIS) -> bool:
        """Sends what ended, finished traces or not. Returns whether MLflow has it."""
        try:
            return self._worker.flush(self._deliveries, patience_millis, limit_millis)
        except Exception:
            _logger.debug("the flush failed", exc_info=True)
            return False

    def send(self, payload: bytes) -> None:
        """Queues a payload that is encoded already; see `feedback`."""
        if self._delivery is not None and self.settings is not None:
            self._delivery.add_payload(payload, self._target(self.settings))

    def experiments(self) -> set[str]:
        """Ids of the experiments that traces were delivered to."""
        return set().union(*(each.experiments for each in self._deliveries))

    def stats(self) -> dict[str, int]:
        total = dict.fromkeys(("received", "delivered", "dropped", "quarantined", "pending"), 0)
        for delivery in self._deliveries:
            for name, count in delivery.stats().items():
                total[name] += count
        return total

    @staticmethod
    def _target(settings: Settings) -> Target:
        if settings.follows_mlflow and (active := mlflow_client.active_experiment_id()) is not None:
            return settings.target._replace(experiment_id=active, experiment_name=None)
        return settings.target
