"""What a member of a consumer group keeps while MLflow takes nothing: nothing on its disk, and no more memory than it states."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.handbuilt.builder import Trace, request
from e2e.harness import example
from e2e.harness.gateway import Gateway, run
from e2e.harness.kafka_broker import GROUP, KafkaBroker
from e2e.harness.kafka_exporter import send
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.ports import free_ports
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_PARTITIONS = 4
_MIB = 1 << 20
_MARKER = "words that only this payload has"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    with KafkaBroker(tmp_path / "broker") as broker:
        broker.create_topic(_PARTITIONS)
        yield broker


@pytest.fixture
def nobody() -> str:
    """The address of an MLflow that does not run."""
    (port,) = free_ports(1)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def admin() -> str:
    (port,) = free_ports(1)
    return f"127.0.0.1:{port}"


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def _total(admin: str, metric: str) -> float:
    """The sum of a metric over its labels."""
    lines = _get(f"http://{admin}/metrics").splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"openinference_mlflow_{metric}{{"))


def _files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def _marked(name: str) -> Trace:
    trace = Trace(name, {"service.name": "example"})
    trace.span(name, "AGENT", {"input.value": _MARKER})
    return trace


def test_a_payload_from_kafka_is_not_on_the_disk_and_one_from_a_client_is(
    folder: Path, broker: KafkaBroker, nobody: str, admin: str
):
    arguments = (*broker.member, "--admin-listen", admin)
    with Gateway(folder, *arguments, tracking_uri=nobody) as gateway:
        producer = broker.producer()
        send(producer, request(_marked("from Kafka")), keyed=True)
        producer.flush()
        eventually(lambda: _total(admin, "kafka_inflight_bytes") > 0, "the payload to be read", within=60)
        time.sleep(1)
        assert _files_with(gateway.data_dir, _MARKER) == []
        example.payload(_marked("from a client")).post(gateway.traces_url).require(200)
        assert _files_with(gateway.data_dir, _MARKER)
    assert sum(broker.committed(GROUP, _PARTITIONS)) == 0


def test_memory_stays_within_its_bound_whatever_waits_on_the_topic(
    folder: Path, broker: KafkaBroker, nobody: str, admin: str
):
    """docs/security.md adds the bound up: the program, the translator, and what a consumer group holds."""
    limit, translator = 8 * _MIB, 32 * _MIB
    sizes = ("--kafka-max-inflight-size", "8MiB", "--max-memory", "32MiB", "--max-body-size", "1MiB")
    bound = 128 * _MIB + (3 * translator + 4 * _MIB) + (2 * limit + 64 * _MIB + 3 * _MIB)
    producer = broker.producer()
    for number in range(600):
        trace = Trace(f"waiting {number}", {"service.name": "example"})
        trace.span("waiting", "AGENT", {"input.value": f"{number} " + "x" * 500_000})
        send(producer, request(trace), keyed=True)
        if number % 20 == 0:
            producer.flush()
    producer.flush()
    with Gateway(folder, *broker.member, *sizes, "--admin-listen", admin, tracking_uri=nobody) as gateway:
        eventually(lambda: _total(admin, "kafka_paused") == 1, "the partitions to be paused", within=60)
        time.sleep(5)
        inflight, peak = _total(admin, "kafka_inflight_bytes"), _peak(gateway.process.pid)
        assert limit <= inflight <= limit + _MIB, inflight
        assert peak < bound, f"{peak / _MIB:.0f} MiB of {bound / _MIB:.0f}"
        # 300 MB are on the topic: a gateway that read on would be over the bound.
        assert _total(admin, "kafka_lag_messages") > 500


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) << 10


def test_metrics_readiness_and_status_show_the_group(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader, admin: str
):
    traces = [example.agent(f"counted {number}") for number in range(3)]
    with Gateway(folder, *broker.member, "--admin-listen", admin, tracking_uri=mlflow_server.uri):
        producer = broker.producer()
        for trace in traces:
            send(producer, request(trace), keyed=True)
        producer.produce("otlp_spans", b"garbage \xff", partition=0)
        producer.flush()
        for trace in traces:
            reader.wait_for_trace(trace.trace_id.hex(), 2)
        eventually(lambda: sum(broker.committed(GROUP, _PARTITIONS)) == 4, "all to be committed", within=60)
        # librdkafka tells how far behind it is once a second.
        eventually(lambda: _total(admin, "kafka_lag_messages") == 0, "nothing to be behind", within=60)
        counted = {name: _total(admin, name) for name in ("kafka_messages_total", "kafka_refused_total")}
        assert counted == {"kafka_messages_total": 4, "kafka_refused_total": 1}
        assert _total(admin, "kafka_assigned_partitions") == _PARTITIONS
        assert _total(admin, "kafka_rebalances_total") >= 1
        eventually(lambda: _total(admin, "kafka_commits_total") >= 1, "the commits to be counted")
        assert (_total(admin, "kafka_connected"), _total(admin, "kafka_inflight_bytes")) == (1, 0)
        assert "kafka" in _get(f"http://{admin}/readyz?verbose")
        shown = run("status", "--json", "--url", f"http://{admin}")
        metrics = json.dumps(json.loads(shown.stdout)["metrics"])
        assert "kafka_messages_total" in metrics and "kafka_lag_messages" in metrics
        assert GROUP in run("status", "--once", "--url", f"http://{admin}").stdout.decode()
