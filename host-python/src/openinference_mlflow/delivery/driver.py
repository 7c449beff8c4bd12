"""Drives the translator for one delivery: payloads in, its requests performed, answers in.

When the translator fails, a new one takes over, and the backlog still has the bytes. A payload on which translators
fail twice is dropped; see `suspects`.
"""

from __future__ import annotations

import os
import random
import threading
from typing import Any

from openinference_mlflow.delivery.backlog import Backlog
from openinference_mlflow.delivery.clock import now
from openinference_mlflow.delivery.experiments import experiment_url, named_experiment
from openinference_mlflow.delivery.http import MlflowClient
from openinference_mlflow.delivery.payloads import Payload
from openinference_mlflow.delivery.preparation import Preparation
from openinference_mlflow.delivery.report import Report
from openinference_mlflow.delivery.suspects import Suspects
from openinference_mlflow.settings.resolve import MAX_QUEUE_BYTES, DeliverySettings

# A payload on which translators failed so often is dropped.
MAX_FAILURES = 2
# So many translators failed in a row without having ingested anything: there is no use in another one.
MAX_EMPTY_FAILURES = 3
# How soon a payload that found no room is offered again.
ROOM_MILLIS = 200

# Held while the translator is imported and compiled. A fork waits for it, or the child would find it half imported.
_LOADING = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOADING.acquire, after_in_parent=_LOADING.release, after_in_child=_LOADING.release)


class GivenUp(Exception):
    """No translator works in this process."""


class Driver:
    """Belongs to the background thread; other threads read its public attributes."""

    def __init__(self, settings: DeliverySettings, backlog: Backlog, preparation: Preparation, report: Report) -> None:
        self._settings, self._backlog = settings, backlog
        self._preparation, self._report = preparation, report
        self._client = MlflowClient(settings)
        self._suspects = Suspects()
        self._bridge: Any = None
        self._ingesting: Payload | None = None
        self._empty_failures = 0
        self.flush_is_due = False
        # Compiling the module, which only the first process on a machine does.
        self.is_starting = False
        self.progress_at = now()
        self.silence_at = 0
        # For the URLs that people see: ids of experiments by their names, and the one that got spans last.
        self.experiment_ids: dict[str, str] = {}
        self.last_experiment: str | None = None

    def turn(self) -> int | None:
        """Does what is due. Returns when to come again; `None`: after the next span. Raises `GivenUp`."""
        try:
            return self._turn()
        except Exception as error:
            self._recover(error)
            return now()
        except BaseException:
            # The thread ends, maybe between a request and its answer: the next one begins with a new translator.
            self._leave_bridge()
            raise

    def _turn(self) -> int | None:
        if self._bridge is None:
            if not self._backlog:
                return None
            self._open_bridge()
        bridge = self._bridge
        is_trial = self._suspects.start_trial()
        self._hand_over()
        if self.flush_is_due or is_trial:
            self.flush_is_due = False
            bridge.flush(now())
        while requests := bridge.poll(now()):
            for request in requests:
                answer, body = self._client.request(request)
                self._note_answer(request, answer, body)
                bridge.complete(request["id"], answer, body, now())
                self._take_events()
            self._hand_over()
        self._take_events()
        if self._suspects.is_acquitted(self._backlog.ingested()):
            self._end_trial()
            return now()
        wakeup = bridge.next_wakeup()
        if self._backlog.waiting():
            return min(now() + ROOM_MILLIS, wakeup or now() + ROOM_MILLIS)
        return int(wakeup) if wakeup is not None else None

    def _open_bridge(self) -> None:
        if self._settings.is_default_uri:
            self._report.info(f"MLFLOW_TRACKING_URI is not set: traces go to {self._settings.tracking_uri}")
        self.is_starting = True
        try:
            with _LOADING:
                self._bridge = self._load_bridge()
        finally:
            self.is_starting = False
            self.progress_at = now()

    def _load_bridge(self) -> Any:
        from openinference_mlflow.translator.bridge import Bridge, Translator

        optional: dict[str, Any] = {
            "attachment_max_bytes": self._settings.attachment_max_bytes,
            "batch_spans": self._settings.batch_spans,
            "timeout_ms": self._settings.timeout_millis,
            "settle_ms": self._settings.settle_millis if self._settings.batch else 0,
        }
        settings = {
            "max_bytes": max(MAX_QUEUE_BYTES, self._settings.max_queue_bytes),
            "concurrency": 1,
            "openinference_only": self._settings.openinference_only,
            "attachments": self._settings.attachments,
            "seed": random.getrandbits(32),
        }
        if self._settings.trace_location is not None:
            optional |= {"destination": "unity_catalog", "trace_location": self._settings.trace_location}
        given = {name: value for name, value in optional.items() if value is not None}
        return Bridge(Translator(), given | settings)

    def _hand_over(self) -> None:
        """Hands waiting payloads to the translator: all of them, or during a trial only those on trial."""
        from openinference_mlflow.translator.bridge import TranslatorError

        self._backlog.encode(self._preparation)
        for payload in self._backlog.waiting():
            if self._suspects and payload not in self._suspects:
                continue
            self._ingesting = payload
            left_out = self._left_out()
            try:
                receipt = self._bridge.ingest(payload.body, payload.context(), now())
            except TranslatorError as error:
                self._ingesting = None
                if error.kind == "full":
                    if payload in self._suspects:
                        self._suspects.divide_before(payload)
                    break
                self._backlog.drop(payload)
                self._report.warn(f"spans are dropped: {error}")
            else:
                self._ingesting = None
                self._backlog.mark_ingested(payload, receipt, self._left_out() - left_out)

    def _left_out(self) -> int:
        """Spans that the noise filter of this translator has left out."""
        if not self._settings.openinference_only:
            return 0
        stats: dict[str, int] = self._bridge.stats()
        # Repetitions count apart.
        kept = ("spans_delivered", "spans_quarantined", "spans_duplicate", "open_spans")
        return stats["spans_received"] - sum(stats[name] for name in kept)

    def _note_answer(self, request: dict[str, Any], answer: dict[str, Any], body: bytes) -> None:
        response = answer.get("response")
        if response is None:
            self.silence_at = now()
        elif response["status"] < 300:
            self.progress_at = now()
            experiment = dict(request["headers"]).get("x-mlflow-experiment-id")
            if self._settings.trace_location is not None:
                self._report.info(f"traces are in Unity Catalog, at {self._settings.trace_location}", "success")
            elif experiment is not None and request["path"].startswith("v1/traces"):
                self.last_experiment = experiment
                address = experiment_url(self._settings.tracking_uri, experiment)
                self._report.info(f"traces are at {address}", f"success {experiment}")
            elif (named := named_experiment(request, body)) is not None:
                name, experiment_id = named
                self.experiment_ids[name] = experiment_id

    def _take_events(self) -> None:
        for event in self._bridge.events():
            if (receipt := event.get("done")) is not None:
                self._empty_failures = 0
                self._backlog.mark_done(receipt)
            elif (notice := event.get("notice")) is not None:
                warns = notice["level"] in ("warn", "error")
                (self._report.warn if warns else self._report.detail)(notice["message"])
            elif (span := event.get("quarantined")) is not None:
                self._backlog.mark_quarantined(span["receipt"])
                self._report.warn(f"MLflow does not take a span of trace {span['trace_id']}: {span['reason']}")
            elif (repair := event.get("repaired")) is not None:
                self._report.detail(f"{repair['rule']} in {repair['place']} of span {repair['span_id']}")
        self._backlog.note_translator_bytes(self._bridge.stats()["held_bytes"])

    def _end_trial(self) -> None:
        """The group did not fail. The next translator is empty again."""
        self._suspects.acquit()
        if self._backlog.ingested():
            self._leave_bridge()

    def _recover(self, error: Exception) -> None:
        """The translator trapped, or this package has a defect: another translator takes over."""
        ingested, named = self._backlog.ingested(), self._ingesting
        if named is None and len(ingested) == 1:
            named = ingested[0]
        self._leave_bridge()
        if named is None and not ingested:
            self._empty_failures += 1
            if self._empty_failures >= MAX_EMPTY_FAILURES:
                raise GivenUp(_describe(error)) from error
            return
        self._report.warn(
            f"the translator failed, and another one takes over with the same spans ({_describe(error)}); "
            "please report this",
            "failure",
        )
        self._suspects.split(named, ingested)
        if named is not None:
            named.failures += 1
            if named.failures >= MAX_FAILURES:
                self._suspects.remove(named)
                self._backlog.drop(named)
                self._report.warn(f"{named.spans} spans are dropped: the translator fails on them", "suspect")

    def _leave_bridge(self) -> None:
        self._bridge = self._ingesting = None
        self._backlog.take_back()


def _describe(error: Exception) -> str:
    """One line: a trap's text has a stack."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
