"""Payloads that MLflow does not have yet. Their bytes stay here, so that the loss of a translator loses no span."""

from __future__ import annotations

from openinference_mlflow.settings.resolve import Target


class Payload:
    """Encoded spans of one target, or a trace in MLflow's JSON with assessments and no spans."""

    def __init__(self, body: bytes, target: Target, spans: int, encoding: str = "protobuf") -> None:
        self.body, self.target, self.spans, self.encoding = body, target, spans, encoding
        # Of its spans, those that MLflow refused.
        self.quarantined = 0
        # Of its spans, those that the translator's noise filter left out.
        self.left_out = 0
        # Translators that failed because of it.
        self.failures = 0

    def context(self) -> dict[str, str]:
        """As the translator's `ingest` takes it."""
        given = {name: value for name, value in self.target._asdict().items() if value}
        return given | {"encoding": self.encoding}


class Payloads:
    """In the order in which they came: waiting, then ingested under a receipt, then done and gone."""

    def __init__(self) -> None:
        self._waiting: dict[Payload, None] = {}
        self._ingested: dict[int, Payload] = {}
        self.spans = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting or self._ingested)

    def add(self, payload: Payload) -> None:
        self._waiting[payload] = None
        self.spans += payload.spans
        self.bytes += len(payload.body)

    def waiting(self) -> list[Payload]:
        return list(self._waiting)

    def ingested(self) -> list[Payload]:
        return list(self._ingested.values())

    def mark_ingested(self, payload: Payload, receipt: int, left_out: int) -> None:
        del self._waiting[payload]
        payload.left_out = left_out
        self._ingested[receipt] = payload

    def by_receipt(self, receipt: int | None) -> Payload | None:
        return None if receipt is None else self._ingested.get(receipt)

    def mark_done(self, receipt: int) -> Payload | None:
        """MLflow has it, apart from spans that are quarantined."""
        payload = self._ingested.pop(receipt, None)
        if payload is not None:
            self._forget(payload)
        return payload

    def remove(self, payload: Payload) -> None:
        """A waiting payload is given up."""
        del self._waiting[payload]
        self._forget(payload)

    def take_back(self) -> None:
        """The translator is gone: what it had ingested waits again, before the others."""
        for payload in self._ingested.values():
            # The next translator sends all of its spans again, and reports again what MLflow refuses.
            payload.quarantined = payload.left_out = 0
        self._waiting = dict.fromkeys(self._ingested.values()) | self._waiting
        self._ingested = {}

    def _forget(self, payload: Payload) -> None:
        self.spans -= payload.spans
        self.bytes -= len(payload.body)
