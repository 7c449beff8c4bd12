"""What there is once in a process, however often this package is imported (reloads, a second copy on the path)."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from typing import Any, cast

from opentelemetry import trace

from openinference_mlflow.delivery.worker import Worker
from openinference_mlflow.pipeline import Pipeline
from openinference_mlflow.processor import PipelineProcessor
from openinference_mlflow.provider import mlflow_otel, registry
from openinference_mlflow.provider.attach import attach
from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.provider.own import OwnProvider
from openinference_mlflow.settings.resolve import Options, changed

EXIT_PATIENCE_MILLIS = 5_000
EXIT_LIMIT_MILLIS = 30_000

_KEY = "openinference_mlflow_state"


class Shared:
    """The pipeline of `autolog()`, and those of `MlflowSpanProcessor`s."""

    def __init__(self) -> None:
        self.worker, self.lineage = Worker(), Lineage()
        self.pipelines: list[Pipeline] = []
        self.pipeline = self.new_pipeline()
        self._options = Options()
        self._is_started = False
        atexit.register(self.at_exit)
        self._is_watching_multiprocessing = False
        self._watch_multiprocessing()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._watch_multiprocessing)

    def new_pipeline(self) -> Pipeline:
        pipeline = Pipeline(self.worker, self.lineage)
        self.pipelines.append(pipeline)
        return pipeline

    def autolog(self, given: dict[str, Any]) -> None:
        # `disable`, `silent` and `log_traces` are never `None`: as in MLflow, they hold for their call.
        changes = {name: value for name, value in given.items() if value is not None}
        self.pipeline.report.silent = changes.get("silent") is True
        self._options = changed(self._options, changes, self.pipeline.report.warn)
        if self._options.disable and not self._is_started:
            return
        settings = self.pipeline.configure(self._options)
        if not self._is_started and settings.is_enabled:
            self._start()
        if not settings.is_enabled:
            mlflow_otel.release_mlflow_otel()
        if settings.flush_on_signals:
            self._watch_signals()

    def change(self, **given: Any) -> None:
        self._options = changed(self._options, given, self.pipeline.report.warn)
        if self._is_started:
            self.pipeline.configure(self._options)

    def _start(self) -> None:
        self._is_started = True
        pipeline = self.pipeline
        processor = PipelineProcessor(pipeline)

        def adopt(provider: Any) -> None:
            try:
                is_attached = attach(provider, processor)
            except Exception as error:
                is_attached = False
                pipeline.report.detail(f"attaching to the provider failed: {error!r}")
            if not is_attached:
                name = f"{type(provider).__module__}.{type(provider).__qualname__}"
                pipeline.report.warn(
                    f"the tracer provider {name} takes no span processors: its spans do not reach MLflow; "
                    "use OpenTelemetry's SDK"
                )

        mlflow_otel.watch(lambda: pipeline.is_enabled, pipeline.report.info)
        registry.watch(adopt)
        OwnProvider(processor, lambda: pipeline.is_enabled).follow()

    def flush(self, limit_millis: int | None = None, patience_millis: int | None = None) -> bool:
        results = [pipeline.flush(limit_millis, patience_millis) for pipeline in self.pipelines]
        return all(results)

    def at_exit(self) -> None:
        """The last flush, within a bound; says what could not be delivered."""
        for pipeline in self.pipelines:
            if pipeline.settings is not None and pipeline.settings.flush_on_exit:
                pipeline.flush(EXIT_LIMIT_MILLIS, EXIT_PATIENCE_MILLIS)
        pending = sum(pipeline.stats()["pending"] for pipeline in self.pipelines)
        if pending > 0:
            self.pipeline.report.warn(f"the process ends before {pending} spans are delivered", "exit")

    def _watch_multiprocessing(self) -> None:
        """Children of `multiprocessing` by fork or fork server end without `atexit`; their finalizers run."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None and not self._is_watching_multiprocessing:
            self._is_watching_multiprocessing = True
            # The finalizers of the parent are cleared after this hook, by the child's own start.
            util.register_after_fork(self, lambda shared: util.Finalize(None, shared.at_exit, exitpriority=0))

    def _watch_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            # `SystemExit` runs `finally` blocks and `atexit`, which flushes.
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def shared() -> Shared:
    """The state; the copy of this package that comes first makes it."""
    state = getattr(trace, _KEY, None)
    if state is None:
        state = Shared()
        setattr(trace, _KEY, state)
    return cast("Shared", state)
