"""The smallest instrumented application: one OpenInference span, sent to the gateway by OpenTelemetry's OTLP exporter.

Run it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. It needs opentelemetry-sdk and
opentelemetry-exporter-otlp-proto-http.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("my_agent").start_as_current_span("my agent") as span:
    span.set_attributes({"openinference.span.kind": "AGENT", "input.value": "hello", "output.value": "world"})
provider.shutdown()
