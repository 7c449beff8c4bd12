"""Where the traces go: an OTLP/HTTP endpoint, or a Kafka topic with the trace id as key."""

import http.client
from typing import Protocol
from urllib.parse import urlsplit


class Sender(Protocol):
    def send(self, body: bytes, trace_id: bytes) -> bool:
        """Whether it was taken."""

    def close(self) -> None: ...


class OtlpSender:
    """One connection that stays."""

    def __init__(self, endpoint: str) -> None:
        self._url = urlsplit(endpoint)
        self._connection = http.client.HTTPConnection(self._url.netloc, timeout=30)

    def send(self, body: bytes, trace_id: bytes) -> bool:
        try:
            self._connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
            answer = self._connection.getresponse()
            answer.read()
            return answer.status == 200
        except OSError:
            self._connection.close()
            return False

    def close(self) -> None:
        self._connection.close()


class KafkaSender:
    """Counts what the broker does not take as not sent."""

    def __init__(self, brokers: str, topic: str) -> None:
        from confluent_kafka import Producer

        self._producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5})
        self._topic = topic
        self.failed = 0

    def send(self, body: bytes, trace_id: bytes) -> bool:
        try:
            self._producer.produce(self._topic, body, key=trace_id.hex(), callback=self._written)
        except BufferError:
            # The broker is slower than the rate.
            self._producer.poll(0.1)
            return False
        self._producer.poll(0)
        return True

    def _written(self, error: object, _message: object) -> None:
        self.failed += error is not None

    def close(self) -> None:
        self.failed += self._producer.flush(30)
