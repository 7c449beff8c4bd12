"""One run with Kafka as the source: spans go to a topic while the gateways of a consumer group are killed, come and go, and MLflow
fails; then everything is well again, and the books are checked. In between, what the group has committed is compared with what
MLflow has."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer

from capture.handbuilt.builder import Trace, request
from e2e.conservation.account import SpanIds
from e2e.conservation.clients import span_ids
from e2e.conservation.fault_proxy import FAULT_MODES, FaultProxy
from e2e.harness.gateway import Gateway
from e2e.harness.kafka_broker import TOPIC, KafkaBroker
from e2e.harness.kafka_exporter import by_trace

_PARTITIONS = 6
_MEMBERS = 3
_STUCK_S = 120.0
_LOOK_S = 0.5
# A killed member is missed after six seconds; then the group shares its partitions.
_PAUSE_S = 4.0
_QUICK = ("--settle", "50ms", "--partial-interval", "500ms", "--retry-initial", "50ms", "--retry-max", "500ms")


@dataclass
class Produced:
    """The spans at each place of the topic. The producer's thread writes into it."""

    spans: dict[tuple[int, int], set[SpanIds]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def all(self) -> set[SpanIds]:
        return set().union(*self.spans.copy().values())

    def before(self, committed: list[int]) -> set[SpanIds]:
        """What MLflow must have if the group has committed this."""
        places = self.spans.copy().items()
        return set().union(*(spans for (partition, offset), spans in places if offset < committed[partition]))


@dataclass(frozen=True)
class GroupResult:
    produced: Produced
    stored: Counter[SpanIds]
    committed: list[int]
    # Spans that MLflow did not have although their offsets were committed, at the moments at which that was looked at.
    committed_too_early: set[SpanIds]
    looks: int
    faults: Counter[str]
    exit_statuses: list[int]

    @property
    def lost(self) -> set[SpanIds]:
        return self.produced.all - self.stored.keys()

    @property
    def duplicated(self) -> set[SpanIds]:
        return {span for span, count in self.stored.items() if count > 1}

    @property
    def unknown(self) -> set[SpanIds]:
        return self.stored.keys() - self.produced.all

    @property
    def uncommitted(self) -> int:
        return len(self.produced.spans) - sum(self.committed)

    def holds(self) -> bool:
        wrong = (self.lost, self.duplicated, self.unknown, self.committed_too_early, self.uncommitted)
        return not any((*wrong, *self.exit_statuses, self.produced.failures))

    def __str__(self) -> str:
        rows = {
            "messages on the topic": len(self.produced.spans),
            "spans in them": len(self.produced.all),
            "delivered to MLflow": len(self.produced.all & self.stored.keys()),
            "duplicated in MLflow": len(self.duplicated),
            "lost": len(self.lost),
            "messages that were not committed": self.uncommitted,
            "looks at what is committed": self.looks,
            "committed before MLflow had them": len(self.committed_too_early),
            "faults": dict(self.faults),
            "exit statuses of the members": self.exit_statuses,
        }
        return "\n".join(f"{name:<34}{value}" for name, value in rows.items())


class GroupRun:
    """`stored` says how often each span is in MLflow, which listens on the port. The producer pauses after each message."""

    def __init__(
        self, folder: Path, mlflow_port: int, stored: Callable[[], Counter[SpanIds]], seed: int, pause_s: float = 0.2
    ) -> None:
        self._folder = folder
        self._mlflow_port = mlflow_port
        self._stored = stored
        self._seed = seed
        self._random = random.Random(seed)
        self._pause_s = pause_s
        self._over = threading.Event()
        self._produced = Produced()
        self._members: list[Gateway] = []
        self._early: set[SpanIds] = set()
        self._looks = 0
        self.faults: Counter[str] = Counter()

    def through(self, seconds: float) -> GroupResult:
        with FaultProxy(self._mlflow_port) as proxy, KafkaBroker(self._folder / "broker") as broker:
            self._proxy, self._broker = proxy, broker
            broker.create_topic(_PARTITIONS)
            self._members = [self._member(number).start() for number in range(_MEMBERS)]
            producer = threading.Thread(target=self._produce, args=(broker.producer(),), daemon=True)
            producer.start()
            try:
                self._trouble(seconds)
                self._over.set()
                producer.join()
                self._settle()
            except BaseException:
                for member in self._members:
                    member.kill()
                raise
            statuses = [member.stop() for member in self._members]
            committed = broker.committed(partitions=_PARTITIONS)
        result = GroupResult(
            self._produced, self._stored(), committed, self._early, self._looks, self.faults, statuses
        )
        if not result.holds():
            print(*(member.log_text()[-4_000:] for member in self._members), sep="\n---\n")
        return result

    def _member(self, number: int) -> Gateway:
        arguments = (*_QUICK, "--experiment", f"group {self._seed}", "--request-timeout", "5s", *self._broker.member)
        folder = self._folder / f"member {number}"
        return Gateway(folder, *arguments, "--admin-listen", "off", tracking_uri=self._proxy.uri)

    def _produce(self, producer: Producer) -> None:
        number = 0
        own = random.Random(f"{self._seed}/producer")
        while not self._over.wait(self._pause_s):
            message = request(_trace(f"group/{self._seed}/{number}", own))
            for trace_id, one in by_trace(message).items():
                spans = set(span_ids(one))
                producer.produce(
                    TOPIC, one.SerializeToString(), key=trace_id.hex() if number % 4 else None,
                    callback=lambda error, place, spans=spans: self._written(error, place, spans),
                )
            producer.poll(0)
            number += 1
        assert producer.flush(60) == 0, "the broker does not answer"

    def _written(self, error: KafkaError | None, place: Message, spans: set[SpanIds]) -> None:
        if error is not None:
            self._produced.failures.append(str(error))
        else:
            self._produced.spans[place.partition(), place.offset()] = spans

    def _trouble(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            fault = self._random.choices(*zip(*_FAULTS, strict=True))[0]
            fault(self)
            time.sleep(self._random.uniform(0, 2 * _PAUSE_S))
            self._look()

    def _kill(self) -> None:
        killed = self._random.sample(self._members, self._random.randint(1, len(self._members)))
        for member in killed:
            self.faults["kill"] += 1
            member.kill()
        time.sleep(self._random.uniform(0, 1.0))
        for member in killed:
            member.start()

    def _come_and_go(self) -> None:
        if len(self._members) > _MEMBERS:
            self.faults["leave"] += 1
            assert self._members.pop().stop() == 0
        else:
            self.faults["join"] += 1
            self._members.append(self._member(len(self._members)).start())

    def _change_fault_mode(self) -> None:
        self._proxy.fault_mode = self._random.choice(FAULT_MODES)
        self.faults[f"MLflow {self._proxy.fault_mode}"] += 1

    def _look(self) -> None:
        """The order matters: MLflow is asked after the group."""
        committed = self._broker.committed(partitions=_PARTITIONS)
        self._early |= self._produced.before(committed) - self._stored().keys()
        self._looks += 1

    def _settle(self) -> None:
        self._proxy.fault_mode = "well"
        # What waits may be much; without progress the rest is lost, and the result says what is missing.
        arrived, since = -1, time.monotonic()
        while time.monotonic() < since + _STUCK_S:
            committed = sum(self._broker.committed(partitions=_PARTITIONS))
            if committed == len(self._produced.spans):
                break
            if (now := committed + self._stored().total()) > arrived:
                arrived, since = now, time.monotonic()
            time.sleep(_LOOK_S)
        self._look()


def _trace(name: str, own: random.Random) -> Trace:
    trace = Trace(name, {"service.name": "conservation"})
    trace.span("agent", "AGENT", {"input.value": "question", "output.value": name})
    for child in range(own.randint(0, 30)):
        trace.span(f"call {child}", "LLM", {"llm.model_name": "m", "input.value": "x" * 300}, parent="agent")
    return trace


_FAULTS: tuple[tuple[Callable[[GroupRun], None], float], ...] = (
    (GroupRun._kill, 5),
    (GroupRun._change_fault_mode, 4),
    (GroupRun._come_and_go, 2),
)
