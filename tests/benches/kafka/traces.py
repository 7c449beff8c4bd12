"""What is sent: traces of eight spans, a payload and a message each."""

import random
import threading
from collections.abc import Iterator

from confluent_kafka import Producer

from e2e.harness.kafka_broker import TOPIC
from load.senders import OtlpSender
from load.shapes import template

TEMPLATE = template("agent", 800)


class Traces:
    """The same seed makes the same ones."""

    def __init__(self, seed: int = 1) -> None:
        self._ids = random.Random(seed)

    def take(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        """Payloads with their trace ids."""
        return (TEMPLATE.copy(self._ids) for _ in range(count))


def fill(producer: Producer, traces: Traces, count: int, partitions: int) -> None:
    """Writes to the partitions in turn, and returns when the broker has everything."""
    for number, (body, trace_id) in enumerate(traces.take(count)):
        while True:
            try:
                producer.produce(TOPIC, body, key=trace_id.hex(), partition=number % partitions)
                break
            except BufferError:
                producer.poll(0.05)
        producer.poll(0)
    assert producer.flush(120) == 0, "the broker does not answer"


def post(endpoint: str, traces: Traces, count: int, clients: int) -> None:
    """Sends over OTLP/HTTP. A refused payload is sent again."""
    bodies = list(traces.take(count))

    def send(some: list[tuple[bytes, bytes]]) -> None:
        sender = OtlpSender(endpoint)
        for body, trace_id in some:
            while not sender.send(body, trace_id):
                threading.Event().wait(0.02)
        sender.close()

    threads = [threading.Thread(target=send, args=(bodies[client::clients],), daemon=True) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
