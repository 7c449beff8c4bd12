"""What is not in MLflow yet: finished spans that the application's threads append, and payloads that are made of them.

Memory is bounded, and each span counts once: what moves and what is counted moves and counts under one lock.
"""

from __future__ import annotations

import threading
from collections import deque

from opentelemetry.sdk.trace import ReadableSpan

from openinference_mlflow.delivery.payloads import Payload, Payloads
from openinference_mlflow.delivery.preparation import Preparation
from openinference_mlflow.settings.resolve import Target
from openinference_mlflow.span.encode import text_bytes

CHUNK_SPANS = 256
CHUNK_BYTES = 2 * 1024 * 1024


class Backlog:
    """Any thread may add and ask; one thread at a time does everything else."""

    def __init__(self, max_bytes: int, max_spans: int | None) -> None:
        self._max_bytes, self._max_spans = max_bytes, max_spans
        self._lock = threading.RLock()
        self._spans: deque[tuple[ReadableSpan, Target, int]] = deque()
        self._span_bytes = 0
        self._payloads = Payloads()
        # What the translator holds for its payloads.
        self._translator_bytes = 0
        self._received = self._dropped = self._filtered = self._quarantined = 0

    def __bool__(self) -> bool:
        return bool(self._spans or self._payloads)

    def add(self, span: ReadableSpan, target: Target) -> bool:
        """Takes a finished span, or drops and counts it: there is no room."""
        size = text_bytes(span)
        with self._lock:
            self._received += 1
            if not self._fits(size) or (self._max_spans is not None and self._pending() >= self._max_spans):
                self._dropped += 1
                return False
            self._spans.append((span, target, size))
            self._span_bytes += size
            return True

    def count_dropped(self) -> None:
        """A span that nobody takes any more."""
        with self._lock:
            self._received += 1
            self._dropped += 1

    def add_payload(self, payload: Payload) -> bool:
        """Takes a payload without spans. Returns whether there was room."""
        with self._lock:
            if not self._fits(len(payload.body)):
                return False
            self._payloads.add(payload)
            return True

    def stats(self) -> dict[str, int]:
        """`received` is the sum of the counts after it, apart from `pending_bytes`."""
        with self._lock:
            elsewhere = self._dropped + self._filtered + self._quarantined + self._pending()
            return {
                "received": self._received,
                "delivered": self._received - elsewhere,
                "dropped": self._dropped,
                "filtered": self._filtered,
                "quarantined": self._quarantined,
                "pending": self._pending(),
                "pending_bytes": self._pending_bytes(),
            }

    def _pending(self) -> int:
        return len(self._spans) + self._payloads.spans

    def _pending_bytes(self) -> int:
        return self._span_bytes + self._payloads.bytes + self._translator_bytes

    def _fits(self, size: int) -> bool:
        # The translator holds once more what it ingests.
        to_come = 2 * (self._span_bytes + self._payloads.bytes)
        return max(to_come, self._pending_bytes()) + 2 * size <= self._max_bytes

    # On the background thread.

    def encode(self, preparation: Preparation) -> None:
        """Makes payloads of the spans. They count as spans until their payload is there."""
        while self._spans:
            chunk, target = self._next_chunk()
            body, encoded, filtered, dropped = preparation.encode(chunk)
            with self._lock:
                for _ in chunk:
                    self._span_bytes -= self._spans.popleft()[2]
                self._filtered += filtered
                self._dropped += dropped
                if encoded:
                    self._payloads.add(Payload(body, target, encoded))

    def _next_chunk(self) -> tuple[list[ReadableSpan], Target]:
        """Spans of one target."""
        chunk: list[ReadableSpan] = []
        size = 0
        with self._lock:
            target = self._spans[0][1]
            for span, its_target, bytes_of_span in self._spans:
                if len(chunk) >= CHUNK_SPANS or size >= CHUNK_BYTES or its_target != target:
                    break
                chunk.append(span)
                size += bytes_of_span
        return chunk, target

    def waiting(self) -> list[Payload]:
        """Payloads that the translator does not have."""
        with self._lock:
            return self._payloads.waiting()

    def ingested(self) -> list[Payload]:
        """Payloads that the translator has."""
        return self._payloads.ingested()

    def mark_ingested(self, payload: Payload, receipt: int, left_out: int) -> None:
        """The translator has it now, apart from spans that its noise filter left out."""
        with self._lock:
            self._payloads.mark_ingested(payload, receipt, left_out)

    def mark_quarantined(self, receipt: int | None) -> None:
        """MLflow refuses a span of this payload."""
        if (payload := self._payloads.by_receipt(receipt)) is not None:
            payload.quarantined += 1

    def mark_done(self, receipt: int) -> None:
        """MLflow has what it takes of this payload."""
        with self._lock:
            if (payload := self._payloads.mark_done(receipt)) is not None:
                self._filtered += payload.left_out
                # A span and its feedback may both be refused.
                self._quarantined += min(payload.quarantined, payload.spans - payload.left_out)

    def drop(self, payload: Payload) -> None:
        """A waiting payload is given up."""
        with self._lock:
            self._payloads.remove(payload)
            self._dropped += payload.spans

    def drop_all(self) -> None:
        """Everything is given up."""
        with self._lock:
            self._dropped += self._pending()
            self._spans.clear()
            self._span_bytes = 0
            self._payloads = Payloads()
            self._translator_bytes = 0

    def note_translator_bytes(self, held: int) -> None:
        """What the translator holds in memory."""
        with self._lock:
            self._translator_bytes = held

    def take_back(self) -> None:
        """The translator is gone: its payloads wait for the next one."""
        with self._lock:
            self._translator_bytes = 0
            self._payloads.take_back()
