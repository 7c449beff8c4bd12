"""`python -m load --rate 500 --seconds 60`: sends traces at a rate, and says what was reached. `make load` runs it."""

import argparse
import random
import statistics
import threading
import time

from load.senders import KafkaSender, OtlpSender, Sender
from load.shapes import SHAPES, Template, template


def main() -> int:
    arguments = _arguments()
    one = template(arguments.shape, arguments.text_bytes)
    print(f"{arguments.shape}: {one.spans} spans and {len(one.body)} bytes a trace, {arguments.rate:g} spans/s")
    share = arguments.rate / one.spans / arguments.clients
    clients = [
        Client(_sender(arguments), one, share, arguments.seconds, random.Random(f"{arguments.seed}/{number}"))
        for number in range(arguments.clients)
    ]
    started = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    taken = time.monotonic() - started
    sent = sum(client.sent for client in clients) * one.spans
    refused = sum(client.refused for client in clients) * one.spans
    latencies = sorted(latency for client in clients for latency in client.latencies)
    print(f"{sent} spans taken in {taken:.1f} s: {sent / taken:.0f} spans/s, {sent * len(one.body) / one.spans / taken / 1e6:.1f} MB/s")
    print(f"{refused} spans refused or not acknowledged")
    if len(latencies) > 1:
        cuts = statistics.quantiles(latencies, n=100)
        print(f"answers: half within {cuts[49] * 1e3:.1f} ms, 99 % within {cuts[98] * 1e3:.1f} ms")
    return 0 if sent and not refused else 1


class Client(threading.Thread):
    """Sends one trace after the other. It catches up after a slow answer, so the rate is what is offered, not what is taken."""

    def __init__(self, sender: Sender, one: Template, rate: float, seconds: float, ids: random.Random) -> None:
        super().__init__(daemon=True)
        self._sender, self._template, self._rate, self._seconds, self._ids = sender, one, rate, seconds, ids
        self.sent = self.refused = 0
        self.latencies: list[float] = []

    def run(self) -> None:
        started = time.monotonic()
        for number in range(max(1, round(self._rate * self._seconds))):
            time.sleep(max(0.0, started + number / self._rate - time.monotonic()))
            body, trace_id = self._template.copy(self._ids)
            before = time.monotonic()
            if self._sender.send(body, trace_id):
                self.sent += 1
            else:
                self.refused += 1
            self.latencies.append(time.monotonic() - before)
        self._sender.close()
        failed = getattr(self._sender, "failed", 0)
        self.sent, self.refused = self.sent - failed, self.refused + failed


def _sender(arguments: argparse.Namespace) -> Sender:
    if arguments.kafka_brokers:
        return KafkaSender(arguments.kafka_brokers, arguments.kafka_topic)
    return OtlpSender(arguments.endpoint)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", default="http://127.0.0.1:4318", help="of OTLP/HTTP")
    parser.add_argument("--kafka-brokers", help="send to Kafka instead")
    parser.add_argument("--kafka-topic", default="otlp_spans")
    parser.add_argument("--rate", type=float, default=500.0, help="spans a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--shape", choices=SHAPES, default="agent")
    parser.add_argument("--text-bytes", type=int, default=500, help="size of each message, answer and document")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same traces")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
