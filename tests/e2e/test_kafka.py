"""Gateways as a consumer group: a real application's traces through a real broker to a real MLflow, and what goes wrong on the
way. The broker is tansu; Apache Kafka is not tested here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.handbuilt.builder import Trace, request
from e2e.harness import example, payloads
from e2e.harness.application import run_openai_app
from e2e.harness.gateway import Gateway, run
from e2e.harness.kafka_broker import GROUP, KafkaBroker
from e2e.harness.kafka_exporter import KafkaExporter, send
from e2e.harness.kafka_guard import KafkaGuard
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.otlp_sink import OtlpSink
from e2e.harness.payloads import Payload
from e2e.harness.ports import free_ports
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_PARTITIONS = 4
_QUICK = ("--settle", "50ms", "--retry-initial", "100ms", "--retry-max", "1s")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    with KafkaBroker(tmp_path / "broker") as broker:
        broker.create_topic(_PARTITIONS)
        yield broker


def _member(folder: Path, broker: KafkaBroker, mlflow: MlflowServer, *arguments: str) -> Gateway:
    return Gateway(folder, *_QUICK, *broker.member, *arguments, tracking_uri=mlflow.uri)


def _wait_for_commit(broker: KafkaBroker, messages: int, group: str = GROUP) -> None:
    def committed() -> bool:
        return sum(broker.committed(group, _PARTITIONS)) == messages

    eventually(committed, f"{messages} messages to be committed by {group}", within=60)


@pytest.mark.parametrize("keyed", (True, False), ids=("keyed", "unkeyed"))
def test_an_application_through_two_gateways_is_complete(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader, model_api: MockOpenAI, keyed: bool
):
    first = _member(folder / "first", broker, mlflow_server)
    second = _member(folder / "second", broker, mlflow_server)
    with first, second, KafkaExporter(broker.producer(), keyed=keyed) as exporter:
        for gateway in (first, second):
            gateway.wait_for_log("got partitions")
        traces = run_openai_app(model_api.base_url, "http", exporter.traces_url)
        # The same application without Kafka, which has the same scenarios.
        direct = run_openai_app(model_api.base_url, "http", first.traces_url)
        for scenario, trace_id in traces.items():
            expected = reader.wait_for_trace(direct[scenario], 1)
            found = reader.wait_for_trace(trace_id, len(expected.data.spans))
            assert [span.name for span in found.data.spans] == [span.name for span in expected.data.spans]
            assert found.info.request_preview == expected.info.request_preview
            assert found.info.response_preview == expected.info.response_preview
            assert found.info.state == expected.info.state
    assert not first.quarantine_reasons() and not second.quarantine_reasons()


def test_a_trace_that_two_gateways_share_is_whole(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader
):
    trace = example.agent("shared by two gateways")
    first = _member(folder / "first", broker, mlflow_server)
    second = _member(folder / "second", broker, mlflow_server)
    with first, second:
        for gateway in (first, second):
            gateway.wait_for_log("got partitions")
        producer = broker.producer()
        for partition in range(_PARTITIONS):
            # Each partition gets one of the spans, and the root comes last.
            name = trace.spans[0].name if partition == _PARTITIONS - 1 else trace.spans[1].name
            message = request(Trace(trace.name, trace.resource, [span for span in trace.spans if span.name == name]))
            producer.produce("otlp_spans", message.SerializeToString(), partition=partition)
        producer.flush()
        _wait_for_commit(broker, _PARTITIONS)
        found = reader.wait_for_trace(trace.trace_id.hex(), 2)
    assert sorted(span.name for span in found.data.spans) == ["generate", "shared by two gateways"]
    assert found.info.state.value == "OK" and found.info.request_preview == "question"


def test_headers_choose_the_experiment(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    headers = {
        "by id": [("X-Mlflow-Experiment-Id", experiment)],
        "by name": [("x-mlflow-experiment-name", "named on a topic")],
    }
    traces = {name: example.agent(f"to an experiment {name}") for name in headers}
    with _member(folder, broker, mlflow_server):
        producer = broker.producer()
        for name, trace in traces.items():
            send(producer, request(trace), keyed=True, headers=headers[name])
        producer.flush()
        found = {name: reader.wait_for_trace(trace.trace_id.hex(), 2).info for name, trace in traces.items()}
    named = reader.client.get_experiment_by_name("named on a topic").experiment_id
    assert [info.experiment_id for info in found.values()] == [experiment, named]


def test_a_header_links_the_trace_to_a_run(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    run_id = reader.client.create_run(experiment).info.run_id
    trace = example.agent("to a run from a topic")
    headers = [("x-mlflow-experiment-id", experiment), ("x-mlflow-run-id", run_id)]

    def linked() -> set[str]:
        return {found.info.trace_id for found in reader.client.search_traces(locations=[experiment], run_id=run_id)}

    with _member(folder, broker, mlflow_server):
        producer = broker.producer()
        send(producer, request(trace), keyed=True, headers=headers)
        producer.flush()
        assert eventually(linked, f"traces of run {run_id}") == {f"tr-{trace.trace_id.hex()}"}


def test_bad_messages_hold_up_nothing(folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader):
    first, last = example.agent("before the bad ones"), example.agent("after the bad ones")
    producer = broker.producer(**{"message.max.bytes": "20000000"})

    def to_one_partition(payload: bytes | None) -> None:
        producer.produce("otlp_spans", payload, partition=0)

    large = Trace("large", {"service.name": "example"})
    large.span("large", "AGENT", {"input.value": "x" * 10_000_000})
    to_one_partition(request(first).SerializeToString())
    for bad in (b"garbage \xff\x00", None, b'{"resourceSpans": []}', b"\xff" * 10_000_000):
        to_one_partition(bad)
    # These are good: an empty export, one of 10 MB, and one with a field that a later version may have.
    unknown_field = b"\xa2\x06\x05later"
    for good in (b"", request(large).SerializeToString(), request(last).SerializeToString() + unknown_field):
        to_one_partition(good)
    producer.flush()
    with _member(folder, broker, mlflow_server) as gateway:
        _wait_for_commit(broker, 8)
        for trace, spans in ((first, 2), (large, 1), (last, 2)):
            reader.wait_for_trace(trace.trace_id.hex(), spans)
        reasons = [record["reason"] for record in gateway.quarantine_reasons()]
        assert len(reasons) == 3, reasons
        assert any("--kafka-encoding otlp_json" in reason for reason in reasons), reasons
        gateway.wait_for_log("tombstone")


def test_otlp_json_from_a_topic_arrives(folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader):
    good = payloads.load("hand_json_lenient.json").with_own_traces("from a topic")
    as_protobuf = request(example.agent("protobuf on a topic of JSON")).SerializeToString()
    # What a topic of JSON cannot have: bytes, text that is cut off, JSON of another schema, and the other encoding.
    bad = (b"garbage \xff\x00", good.body[: len(good.body) // 2], b'{"resourceSpans": 7}', as_protobuf)
    later = good.with_own_traces("after the bad ones")
    with_later_field = Payload(later.name, b'{"later": [1], ' + later.body.lstrip()[1:], later.content_type, later.original_ids)
    producer = broker.producer()
    for payload in (good.body, *bad, None, b'{"resourceSpans": []}', with_later_field.body):
        producer.produce("otlp_spans", payload, partition=0)
    producer.flush()
    with _member(folder, broker, mlflow_server, "--kafka-encoding", "otlp_json") as gateway:
        _wait_for_commit(broker, 8)
        for payload in (good, with_later_field):
            for trace_id in payload.trace_ids:
                reader.wait_for_trace(trace_id, 1)
        reasons = [record["reason"] for record in gateway.quarantine_reasons()]
        assert len(reasons) == len(bad), reasons
        assert any("--kafka-encoding otlp_proto" in reason for reason in reasons), reasons
        gateway.wait_for_log("tombstone")


def test_a_dead_letter_topic_takes_what_is_refused(folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer):
    broker.create_topic(1, "dead")
    producer = broker.producer()
    producer.produce("otlp_spans", b"garbage \xff", key="key", partition=2, headers=[("sent-with", b"it")])
    producer.flush()
    with _member(folder, broker, mlflow_server, "--kafka-dead-letter-topic", "dead") as gateway:
        (letter,) = broker.messages("dead", 1)
        headers = dict(letter.headers())
        assert (letter.key(), letter.value()) == (b"key", b"garbage \xff")
        assert b"not" in headers.pop("openinference-mlflow-reason")
        assert headers == {
            "sent-with": b"it",
            "openinference-mlflow-topic": b"otlp_spans",
            "openinference-mlflow-partition": b"2",
            "openinference-mlflow-offset": b"0",
        }
        _wait_for_commit(broker, 1)
    assert not gateway.quarantine_reasons()


def test_each_forward_destination_has_a_group_of_its_own(
    folder: Path, broker: KafkaBroker, mlflow_server: MlflowServer, reader: Reader
):
    trace = example.agent("forwarded from Kafka")
    producer = broker.producer()
    with OtlpSink() as sink:
        sink.away = True
        with _member(folder, broker, mlflow_server, "--forward", sink.uri):
            send(producer, request(trace), keyed=True)
            producer.flush()
            reader.wait_for_trace(trace.trace_id.hex(), 2)
            _wait_for_commit(broker, 1)
            group = f"{GROUP}-forward-http-{sink.uri.removeprefix('http://').replace(':', '-')}-v1-traces"
            assert sum(broker.committed(group, _PARTITIONS)) == 0
            sink.away = False
            _wait_for_commit(broker, 1, group)
        assert sink.bodies == [request(trace).SerializeToString()]


def test_a_topic_that_comes_later_is_read(folder: Path, tmp_path: Path, mlflow_server: MlflowServer, reader: Reader):
    trace = example.agent("on a topic that came later")
    with KafkaBroker(tmp_path / "broker") as broker:
        refresh = ("--kafka-config", "topic.metadata.refresh.interval.ms=1000,session.timeout.ms=6000")
        with _member(folder, broker, mlflow_server, *refresh) as gateway:
            gateway.wait_for_log("topic otlp_spans does not exist")
            broker.create_topic(_PARTITIONS)
            producer = broker.producer()
            send(producer, request(trace), keyed=True)
            producer.flush()
            reader.wait_for_trace(trace.trace_id.hex(), 2, within=60)
            gateway.wait_for_log("the topic can be read again")


def test_partitions_that_come_later_are_read(folder: Path, tmp_path: Path, mlflow_server: MlflowServer, reader: Reader):
    guard = KafkaGuard(visible_partitions=2)
    early = example.agent("before the partitions were added")
    late = [example.agent(f"in partition {partition} of four") for partition in range(_PARTITIONS)]
    with KafkaBroker(tmp_path / "broker", guard=guard) as broker:
        broker.create_topic(_PARTITIONS)
        refresh = ("--kafka-config", "topic.metadata.refresh.interval.ms=1000,session.timeout.ms=6000")
        with _member(folder, broker, mlflow_server, *refresh) as gateway:
            gateway.wait_for_log("got partitions [0, 1] of otlp_spans")
            producer = broker.producer()
            assert len(producer.list_topics("otlp_spans", 20).topics["otlp_spans"].partitions) == 2
            send(producer, request(early), keyed=True)
            producer.flush()
            reader.wait_for_trace(early.trace_id.hex(), 2)
            guard.visible_partitions = None
            producer = broker.producer()
            for partition, trace in enumerate(late):
                producer.produce("otlp_spans", request(trace).SerializeToString(), partition=partition)
            producer.flush()
            for trace in late:
                reader.wait_for_trace(trace.trace_id.hex(), 2, within=60)
            _wait_for_commit(broker, 1 + len(late))


def test_a_broker_that_restarts_is_used_again(
    folder: Path, tmp_path: Path, mlflow_server: MlflowServer, reader: Reader
):
    guard, traces = KafkaGuard(), [example.agent(f"{when} a restart") for when in ("before", "after")]
    with KafkaBroker(tmp_path / "broker", guard=guard) as broker:
        broker.create_topic(1)
        with _member(folder, broker, mlflow_server) as gateway:
            for number, trace in enumerate(traces):
                if number:
                    guard.shut()
                    gateway.wait_for_log("no broker answers (--kafka-brokers)")
                    guard.open()
                producer = broker.producer()
                send(producer, request(trace), keyed=True)
                producer.flush()
                reader.wait_for_trace(trace.trace_id.hex(), 2, within=60)
            gateway.wait_for_log("the brokers answer again")
            eventually(lambda: broker.committed() == [2], "both messages to be committed")


def test_brokers_that_do_not_answer_leave_the_receivers_alone(
    folder: Path, mlflow_server: MlflowServer, reader: Reader
):
    (port,) = free_ports(1)
    trace = example.agent("without a broker")
    arguments = ("--kafka-brokers", f"127.0.0.1:{port}")
    with Gateway(folder, *_QUICK, *arguments, tracking_uri=mlflow_server.uri) as gateway:
        gateway.wait_for_log("no broker answers (--kafka-brokers)")
        example.payload(trace).post(gateway.traces_url).require(200)
        reader.wait_for_trace(trace.trace_id.hex(), 2)


def test_doctor_says_what_is_wrong_and_changes_nothing(broker: KafkaBroker, mlflow_server: MlflowServer, tmp_path: Path):
    def doctor(*arguments: str, brokers: str = broker.address) -> str:
        places = ("--data-dir", str(tmp_path / "data"), "--no-receivers", "--tracking-uri", mlflow_server.uri)
        return run("doctor", *places, "--kafka-brokers", brokers, *arguments).stdout.decode()

    assert "otlp_spans has 4 partitions" in doctor() and "the topic is empty" in doctor()
    assert "topic nothing does not exist" in doctor("--kafka-topic", "nothing")
    producer = broker.producer()
    send(producer, request(example.agent("for doctor")), keyed=True)
    producer.flush()
    said = doctor("--kafka-group", GROUP)
    assert "keys of the latest 1 messages are trace ids" in said and f"{GROUP} is new" in said, said
    assert "do not look like JSON" in doctor("--kafka-encoding", "otlp_json")
    producer.produce("otlp_spans", b"{}")
    producer.flush()
    assert "partition_traces_by_id: true" in (said := doctor()) and "look like JSON" in said, said
    (port,) = free_ports(1)
    assert "no broker answers" in doctor(brokers=f"127.0.0.1:{port}")
    assert broker.committed(GROUP, _PARTITIONS) == [0] * _PARTITIONS
