"""What the Collector's OTLP receiver and kafka exporter do together: an export comes in, a message for each trace goes out, with
the trace id as its key (`partition_traces_by_id: true`), or one message without a key."""

import threading
from collections.abc import Sequence

from confluent_kafka import Producer
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from e2e.harness.kafka_broker import TOPIC
from e2e.harness.loopback_server import LoopbackHandler, LoopbackServer

Headers = Sequence[tuple[str, str | bytes]]


class KafkaExporter(LoopbackServer):
    """Use as a context manager. An export is answered when the broker has its messages."""

    def __init__(self, producer: Producer, *, keyed: bool) -> None:
        super().__init__(_Handler)
        self.producer = producer
        self.keyed = keyed
        self.lock = threading.Lock()

    @property
    def traces_url(self) -> str:
        return f"{self.uri}/v1/traces"


class _Handler(LoopbackHandler):
    owner: KafkaExporter

    def do_POST(self) -> None:
        message = ExportTraceServiceRequest.FromString(self.body())
        with self.owner.lock:
            send(self.owner.producer, message, keyed=self.owner.keyed)
            assert self.owner.producer.flush(20) == 0, "the broker does not answer"
        return self.answer(200, {"content-type": "application/x-protobuf"})


def send(producer: Producer, message: ExportTraceServiceRequest, *, keyed: bool, headers: Headers = ()) -> None:
    """Hand the messages over to the producer, which sends them in its own time."""
    if not keyed:
        return producer.produce(TOPIC, message.SerializeToString(), headers=list(headers))
    for trace_id, one in by_trace(message).items():
        producer.produce(TOPIC, one.SerializeToString(), key=trace_id.hex(), headers=list(headers))
    return None


def by_trace(message: ExportTraceServiceRequest) -> dict[bytes, ExportTraceServiceRequest]:
    """The spans of each trace, with their resources and scopes."""
    traces: dict[bytes, ExportTraceServiceRequest] = {}
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for trace_id in dict.fromkeys(span.trace_id for span in scope.spans):
                resources = traces.setdefault(trace_id, ExportTraceServiceRequest()).resource_spans.add()
                _copy_without(resource, "scope_spans", resources)
                scopes = resources.scope_spans.add()
                _copy_without(scope, "spans", scopes)
                scopes.spans.extend(span for span in scope.spans if span.trace_id == trace_id)
    return traces


def _copy_without(source: Message, field: str, target: Message) -> None:
    target.CopyFrom(source)
    target.ClearField(field)
