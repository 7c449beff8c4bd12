"""The books: which spans were sent, and which of them the host acknowledged."""

import threading
from collections import Counter
from dataclasses import dataclass, field

# One span: its trace id and its span id, lower-case hexadecimal.
SpanIds = tuple[str, str]


@dataclass
class Account:
    """Clients write into it from their threads."""

    sent: set[SpanIds] = field(default_factory=set)
    acknowledged: set[SpanIds] = field(default_factory=set)
    # How often the host refused, by what it said; and what it said that it must never say.
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, spans: set[SpanIds]) -> None:
        with self._lock:
            self.sent |= spans

    def acknowledge(self, spans: set[SpanIds]) -> None:
        with self._lock:
            self.acknowledged |= spans

    def refuse(self, said: str, retryable: bool) -> None:
        with self._lock:
            self.refusals[said] += 1
            if not retryable:
                self.wrong.append(said)


@dataclass(frozen=True)
class Result:
    """What became of the acknowledged spans, in MLflow and in the inbox of the destination that is forwarded to."""

    account: Account
    in_mlflow: Counter[SpanIds]
    in_inbox: Counter[SpanIds]
    faults: Counter[str]
    # How the host ended when it was asked to.
    exit_status: int

    @property
    def lost(self) -> set[SpanIds]:
        return self.account.acknowledged - self.in_mlflow.keys()

    @property
    def duplicated(self) -> set[SpanIds]:
        return {span for span, count in self.in_mlflow.items() if count > 1}

    @property
    def not_forwarded(self) -> set[SpanIds]:
        return self.account.acknowledged - self.in_inbox.keys()

    @property
    def unknown(self) -> set[SpanIds]:
        """Spans in MLflow that nobody sent."""
        return self.in_mlflow.keys() - self.account.sent

    def holds(self) -> bool:
        wrong = (self.lost, self.duplicated, self.not_forwarded, self.unknown, self.account.wrong, self.exit_status)
        return not any(wrong)

    def __str__(self) -> str:
        rows = {
            "spans sent": len(self.account.sent),
            "acknowledged": len(self.account.acknowledged),
            "delivered to MLflow": len(self.account.acknowledged & self.in_mlflow.keys()),
            "duplicated in MLflow": len(self.duplicated),
            "lost": len(self.lost),
            "forwarded": len(self.account.acknowledged & self.in_inbox.keys()),
            "forwarded more than once": sum(count > 1 for count in self.in_inbox.values()),
            "not forwarded": len(self.not_forwarded),
            "refusals": dict(self.account.refusals),
            "refusals that were not retryable": self.account.wrong,
            "faults": dict(self.faults),
            "exit status of the host": self.exit_status,
        }
        return "\n".join(f"{name:<34}{value}" for name, value in rows.items())
