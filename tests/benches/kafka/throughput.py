"""Spans/s and CPU time of consumer groups, beside a gateway with a journal. The brokers and a stand-in for MLflow share the cores."""

import contextlib
import os
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.kafka.processes import MeasuredGateway, Sink, wait_until
from benches.kafka.traces import TEMPLATE, Traces, fill, post
from e2e.harness.kafka_broker import KafkaBroker

SHAPES = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2))
_WARM_UP = 250
# The broker answers who joins after half of it, and the members stand still for less.
_TIMEOUTS = "session.timeout.ms=10000,heartbeat.interval.ms=1000"
_CLIENTS = 8


@dataclass(frozen=True)
class Throughput:
    partitions: int
    members: int
    spans_per_second: float
    # Of all members.
    cpu_micros: float


def measure(folder: Path, spans: int, rounds: int) -> tuple[list[Throughput], float]:
    """The groups, and the CPU time of a span that comes over OTLP and goes through the journal, in microseconds."""
    groups = [
        _group(folder / f"{partitions} of {members}", partitions, members, spans // TEMPLATE.spans, rounds)
        for partitions, members in SHAPES
    ]
    return groups, _with_journal(folder / "journal", spans // TEMPLATE.spans, rounds)


def _group(folder: Path, partitions: int, members: int, messages: int, rounds: int) -> Throughput:
    traces, rates, costs = Traces(), [], []
    with contextlib.ExitStack() as running:
        sink = running.enter_context(Sink())
        broker = running.enter_context(KafkaBroker(folder / "broker"))
        broker.create_topic(partitions)
        arguments = ("--kafka-brokers", broker.address, "--kafka-group", "bench", "--kafka-config", _TIMEOUTS)
        gateways = [
            running.enter_context(MeasuredGateway(folder / f"member {number}", *arguments, tracking_uri=sink.uri))
            for number in range(members)
        ]
        share = sorted(len(range(member, partitions, members)) for member in range(members))
        wait_until(
            lambda: sorted(int(gateway.metric("kafka_assigned_partitions")) for gateway in gateways) == share,
            "the members to share the partitions",
        )
        producer = broker.producer()
        fill(producer, traces, _WARM_UP, partitions)
        sink.wait_for(_WARM_UP * TEMPLATE.spans)
        for _ in range(rounds):
            goal = sink.spans + messages * TEMPLATE.spans
            with _stopped(gateways):
                fill(producer, traces, messages, partitions)
                before = _cpu(gateways)
            start = time.monotonic()
            sink.wait_for(goal)
            rates.append(messages * TEMPLATE.spans / (time.monotonic() - start))
            costs.append(_settled_cpu(gateways) - before)
    cost = statistics.median(costs) * 1e6 / (messages * TEMPLATE.spans)
    return Throughput(partitions, members, statistics.median(rates), cost)


def _with_journal(folder: Path, payloads: int, rounds: int) -> float:
    traces, costs = Traces(), []
    with Sink() as sink, MeasuredGateway(folder, tracking_uri=sink.uri) as gateway:
        for number in range(rounds + 1):
            goal, before = sink.spans + payloads * TEMPLATE.spans, _cpu([gateway])
            post(gateway.http_uri, traces, payloads, _CLIENTS)
            sink.wait_for(goal)
            # The first round warms up.
            if number:
                costs.append(_settled_cpu([gateway]) - before)
    return statistics.median(costs) * 1e6 / (payloads * TEMPLATE.spans)


@contextlib.contextmanager
def _stopped(gateways: Sequence[MeasuredGateway]) -> Iterator[None]:
    """While the topic is filled, the members do nothing, and stay in the group."""
    for gateway in gateways:
        os.kill(gateway.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for gateway in gateways:
            os.kill(gateway.process.pid, signal.SIGCONT)


def _cpu(gateways: Sequence[MeasuredGateway]) -> float:
    return sum(gateway.cpu_seconds() for gateway in gateways)


def _settled_cpu(gateways: Sequence[MeasuredGateway]) -> float:
    """With what comes after the last span: commits, and traces that are closed."""
    time.sleep(1)
    return _cpu(gateways)
