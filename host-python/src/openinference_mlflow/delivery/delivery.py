"""Spans to one MLflow server: a bounded queue for the application, a bridge for the background thread.

`add` runs on any thread of the application and does the least: it counts, measures and appends. `poll_once` runs on one
thread at a time and does everything else.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.delivery.http import MlflowClient
from openinference_mlflow.delivery.report import Report
from openinference_mlflow.provider.lineage import Lineage
from openinference_mlflow.settings.resolve import MAX_QUEUE_BYTES, DeliverySettings, Filter, Target
from openinference_mlflow.span.encode import copy_span, encode, text_bytes

CHUNK_SPANS = 256
CHUNK_BYTES = 2 * 1024 * 1024

# Held while the translator is imported and compiled. A fork waits for it, or the child would find it half imported.
_LOADING = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOADING.acquire, after_in_parent=_LOADING.release, after_in_child=_LOADING.release)

_CLOCK_START = time.time() - time.monotonic()


def now() -> int:
    """Milliseconds since the Unix epoch that never run backwards."""
    return int((_CLOCK_START + time.monotonic()) * 1000)


class Payload:
    """Encoded spans that MLflow does not have yet."""

    def __init__(self, body: bytes, target: Target, spans: int, encoding: str = "protobuf") -> None:
        self.body, self.target, self.spans, self.encoding = body, target, spans, encoding


class Delivery:
    """See the module. `filter` and `mask` are the pipeline's, and may change at any time."""

    def __init__(self, settings: DeliverySettings, report: Report, lineage: Lineage, wake: Callable[[], None]) -> None:
        self.settings = settings
        self.filter: Filter | None = None
        self.mask: Any = None
        self._report, self._lineage, self._wake = report, lineage, wake
        self.reset()

    def reset(self) -> None:
        """Forgets everything: a forked child begins anew, and its parent delivers what the parent had."""
        self._queue: deque[tuple[ReadableSpan, Target, int]] = deque()
        self._lock = threading.Lock()
        self._queued_bytes = 0
        self._waiting: deque[Payload] = deque()
        self._open: dict[int, Payload] = {}
        self._bridge: Any = None
        self._client = MlflowClient(self.settings)
        self._filtered = 0
        self._core: dict[str, int] = {}
        self.received = self.dropped = 0
        self.is_broken = False
        self.is_busy = False
        # Compiling the module, which only the first process on a machine does.
        self.is_starting = False
        self.flush_is_due = False
        self.progress_at = now()
        self.silence_at = 0
        self.experiments: set[str] = set()

    # On the application's threads.

    def add(self, span: ReadableSpan, target: Target) -> None:
        """Takes a finished span; drops and counts it when there is no room."""
        size = text_bytes(span)
        with self._lock:
            self.received += 1
            limit = self.settings.max_queue_spans
            is_full = self._held_bytes() + size > MAX_QUEUE_BYTES or (limit is not None and self.pending() > limit)
            if is_full or self.is_broken:
                self.dropped += 1
            else:
                self._queued_bytes += size
                self._queue.append((span, target, size))
        if is_full:
            self._report.warn(
                "spans are dropped: MLflow takes them more slowly than the application makes them", "full"
            )
        self._wake()

    def add_payload(self, body: bytes, target: Target) -> None:
        """Takes a trace in MLflow's JSON; its assessments are delivered, it has no spans."""
        self._waiting.append(Payload(body, target, 0, "trace-json"))
        self._wake()

    def is_through(self) -> bool:
        """Whether everything that came in is in MLflow, or dropped or quarantined, and counted."""
        return self.is_broken or not (self._queue or self._waiting or self._open or self.is_busy)

    def pending(self) -> int:
        """Spans that are not in MLflow yet."""
        payloads = [*self._waiting, *self._open.copy().values()]
        in_payloads = sum(payload.spans for payload in payloads)
        return len(self._queue) + in_payloads

    def stats(self) -> dict[str, int]:
        """Counted in spans."""
        delivered, quarantined = self._core.get("spans_delivered", 0), self._core.get("spans_quarantined", 0)
        return {
            "received": self.received - self._filtered,
            "delivered": delivered,
            "dropped": self.dropped,
            "quarantined": quarantined,
            "pending": self.pending(),
        }

    def _held_bytes(self) -> int:
        return self._queued_bytes + self._core.get("held_bytes", 0)

    # On the background thread.

    def poll_once(self) -> int | None:
        """Does what is due. Returns when to come again; `None`: after the next span."""
        if self.is_broken:
            return None
        self.is_busy = True
        try:
            return self._turn()
        except Exception as error:
            # A defect of this package or a damaged installation: the application goes on without it.
            self.is_broken, self.is_starting = True, False
            self.dropped += self.pending()
            self._queue.clear()
            self._report.warn(f"traces are no longer collected: {type(error).__name__}: {error}")
            return None
        finally:
            self.is_busy = False

    def _turn(self) -> int | None:
        if self._bridge is None and not (self._queue or self._waiting):
            return None
        bridge = self._open_bridge()
        self._encode_queue()
        self._offer()
        if self.flush_is_due:
            self.flush_is_due = False
            bridge.flush(now())
        while requests := bridge.poll(now()):
            for request in requests:
                answer, body = self._client.request(request)
                self._note_answer(request, answer)
                bridge.complete(request["id"], answer, body, now())
                self._take_events()
            self._encode_queue()
            self._offer()
        self._take_events()
        if self._waiting:
            return now() + 200
        wakeup = bridge.next_wakeup()
        return int(wakeup) if wakeup is not None else None

    def _open_bridge(self) -> Any:
        if self._bridge is None:
            if self.settings.is_default_uri:
                self._report.info(f"MLFLOW_TRACKING_URI is not set: traces go to {self.settings.tracking_uri}")
            self.is_starting = True
            with _LOADING:
                self._bridge = self._load_bridge()
            self.progress_at = now()
            self.is_starting = False
        return self._bridge

    def _load_bridge(self) -> Any:
        from openinference_mlflow.translator.bridge import Bridge, Translator

        optional = {
            "attachment_max_bytes": self.settings.attachment_max_bytes,
            "batch_spans": self.settings.batch_spans,
            "timeout_ms": self.settings.timeout_millis,
            "settle_ms": self.settings.settle_millis if self.settings.batch else 0,
        }
        settings = {
            "max_bytes": MAX_QUEUE_BYTES,
            "concurrency": 1,
            "openinference_only": self.settings.openinference_only,
            "attachments": self.settings.attachments,
            "seed": random.getrandbits(32),
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return Bridge(Translator(), given | settings)

    def _encode_queue(self) -> None:
        """Makes payloads of what waits in the queue: spans of one target in each."""
        while self._queue:
            chunk: list[ReadableSpan] = []
            target, size = self._queue[0][1], 0
            while self._queue and len(chunk) < CHUNK_SPANS and size < CHUNK_BYTES and self._queue[0][1] == target:
                span, _, bytes_of_span = self._queue[0]
                size += bytes_of_span
                if (ready := self._prepare(span)) is not None:
                    chunk.append(ready)
                with self._lock:
                    self._queue.popleft()
                    self._queued_bytes -= bytes_of_span
            if chunk:
                self._waiting.append(Payload(self._encode(chunk), target, len(chunk)))

    def _prepare(self, span: ReadableSpan) -> ReadableSpan | None:
        if self.filter is not None:
            try:
                if not self.filter(span):
                    self._filtered += 1
                    return None
            except Exception as error:
                self._report.warn(f"the filter raised {type(error).__name__}: the span is kept", "filter")
        context, parent = self._lineage.true_contexts(span)
        try:
            if self.mask is None and context is None:
                return span
            return copy_span(span, self.mask, context, parent)
        except Exception as error:
            self.dropped += 1
            self._report.warn(f"spans are dropped because the mask raised {type(error).__name__}", "mask")
            return None

    def _encode(self, chunk: list[ReadableSpan]) -> bytes:
        try:
            return encode(chunk)
        except Exception:
            # One span that cannot be encoded does not cost its neighbours.
            parts = []
            for span in chunk:
                try:
                    parts.append(encode([span]))
                except Exception as error:
                    self.dropped += 1
                    self._report.warn(f"a span is dropped: it cannot be encoded ({type(error).__name__})", "encode")
            return b"".join(parts)

    def _offer(self) -> None:
        from openinference_mlflow.translator.bridge import TranslatorError

        while self._waiting:
            payload = self._waiting[0]
            context = {name: value for name, value in payload.target._asdict().items() if value}
            context["encoding"] = payload.encoding
            try:
                receipt = self._bridge.ingest(payload.body, context, now())
            except TranslatorError as error:
                if error.kind == "full":
                    break
                self.dropped += payload.spans
                self._report.warn(f"spans are dropped: {error}")
            else:
                payload.body = b""
                self._open[receipt] = payload
            self._waiting.popleft()

    def _note_answer(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        response = answer.get("response")
        if response is None:
            self.silence_at = now()
        elif response["status"] < 300:
            self.progress_at = now()
            experiment = dict(request["headers"]).get("x-mlflow-experiment-id")
            if experiment is not None and request["path"].startswith("v1/traces"):
                self.experiments.add(experiment)
                address = f"{self.settings.tracking_uri}/#/experiments/{experiment}/traces"
                self._report.info(f"traces are at {address}", "success")

    def _take_events(self) -> None:
        for event in self._bridge.events():
            if (receipt := event.get("done")) is not None:
                self._open.pop(receipt, None)
            elif (notice := event.get("notice")) is not None:
                warns = notice["level"] in ("warn", "error")
                (self._report.warn if warns else self._report.detail)(notice["message"])
            elif (span := event.get("quarantined")) is not None:
                self._report.warn(f"MLflow does not take a span of trace {span['trace_id']}: {span['reason']}")
            elif (repair := event.get("repaired")) is not None:
                self._report.detail(f"{repair['rule']} in {repair['place']} of span {repair['span_id']}")
        self._core = self._bridge.stats()
