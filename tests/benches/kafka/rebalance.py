"""How long partitions stand still when members come, go and die, and how far behind they are then."""

import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from confluent_kafka import KafkaError, Message

from benches.kafka.processes import MeasuredGateway, Sink, wait_until
from benches.kafka.traces import Traces
from e2e.harness.kafka_broker import TOPIC, KafkaBroker

PARTITIONS = 4
SESSION_TIMEOUT_S = 6.0
_MOVED = re.compile(r"^(\S+Z) .*?: (got|gave) partitions \[([\d, ]*)\]", re.MULTILINE)


@dataclass(frozen=True)
class Moves:
    rate: float
    # From a member's start until it has its partitions.
    join_s: float
    # From the moment at which a member gives partitions back until others have them.
    join_gap_s: float
    leave_gap_s: float
    # From SIGKILL until another member has the partitions, how many messages each of these is behind then, and how long it takes
    # until it is not.
    kill_gap_s: float
    behind: float
    caught_up_s: float


def measure(folder: Path, rate: float) -> Moves:
    with Sink() as sink, KafkaBroker(folder / "broker") as broker:
        broker.create_topic(PARTITIONS)
        timeouts = f"session.timeout.ms={SESSION_TIMEOUT_S * 1e3:.0f},heartbeat.interval.ms=1000"
        arguments = ("--kafka-brokers", broker.address, "--kafka-group", "bench", "--kafka-config", timeouts)
        members = [
            MeasuredGateway(folder / f"member {number}", *arguments, tracking_uri=sink.uri) for number in range(2)
        ]
        first, second = members
        with first, _Producer(broker, rate) as produced:
            wait_until(lambda: _has(first, PARTITIONS), "the first member to have all partitions")
            start = time.time()
            with second:
                wait_until(lambda: _has(second, 2) and _has(first, 2), "the members to share")
                join_s = _last(second, "got") - start
                join_gap_s = _last(second, "got") - _last(first, "gave")
                second.stop()
                wait_until(lambda: _has(first, PARTITIONS), "the first member to have all partitions again")
                leave_gap_s = _last(first, "got") - _last(second, "gave")
            with second:
                wait_until(lambda: _has(second, 2) and _has(first, 2), "the members to share again")
                time.sleep(2)
                partitions = _moves(second)[-1][2]
                killed = time.time()
                second.kill()
                wait_until(lambda: _last(first, "got") > killed, "the first member to get the partitions")
                behind = _behind(broker, produced, partitions)
                got = time.time()
                wait_until(lambda: max(_behind(broker, produced, partitions)) < rate / PARTITIONS, "it to catch up")
                return Moves(
                    rate=rate,
                    join_s=join_s,
                    join_gap_s=join_gap_s,
                    leave_gap_s=leave_gap_s,
                    kill_gap_s=_last(first, "got") - killed,
                    behind=sum(behind) / len(behind),
                    caught_up_s=time.time() - got,
                )


class _Producer(threading.Thread):
    """Writes to the partitions in turn while it is entered. Counts the messages of each."""

    def __init__(self, broker: KafkaBroker, rate: float) -> None:
        super().__init__(daemon=True)
        self._producer, self._rate, self._over = broker.producer(), rate, threading.Event()
        self.written: Counter[int] = Counter()

    def __enter__(self) -> Counter[int]:
        self.start()
        return self.written

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        started = time.monotonic()
        for number, (body, trace_id) in enumerate(Traces().take(1 << 30)):
            if self._over.wait(max(0.0, started + number / self._rate - time.monotonic())):
                break
            self._producer.produce(
                TOPIC, body, key=trace_id.hex(), partition=number % PARTITIONS, callback=self._acknowledge
            )
            self._producer.poll(0)
        self._producer.flush(20)

    def _acknowledge(self, error: KafkaError | None, message: Message) -> None:
        self.written[message.partition()] += error is None


def _has(member: MeasuredGateway, partitions: int) -> bool:
    return member.metric("kafka_assigned_partitions") == partitions


def _behind(broker: KafkaBroker, written: Counter[int], partitions: list[int]) -> list[int]:
    committed = broker.committed("bench", PARTITIONS)
    return [written[partition] - committed[partition] for partition in partitions]


def _moves(member: MeasuredGateway) -> list[tuple[float, str, list[int]]]:
    return [
        (datetime.fromisoformat(at).timestamp(), what, [int(partition) for partition in partitions.split(", ")])
        for at, what, partitions in _MOVED.findall(member.log_text())
        if partitions
    ]


def _last(member: MeasuredGateway, what: str) -> float:
    """When the member last got partitions, or gave some back."""
    return max((at for at, kind, _ in _moves(member) if kind == what), default=0.0)
