"""An application as users write them: the OpenAI SDK, OpenInference's instrumentor, an OTLP exporter.

Runs as a program of its own, so that it is instrumented from its first line and ends as an application ends:

    python -m e2e.harness.openai_app --model-api URL --protocol grpc|http --endpoint TARGET [SCENARIO…]

Prints one JSON line for each scenario, `{"scenario": …, "trace_id": …}`, after its spans were exported.
"""

import argparse
import json

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor
from openinference.semconv.resource import ResourceAttributes
from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from e2e.harness.openai_scenarios import ON_REQUEST, SCENARIOS

SERVICE = "weather-service"
PROJECT = "weather"


def main() -> None:
    arguments = _arguments()
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: SERVICE, ResourceAttributes.PROJECT_NAME: PROJECT}),
        shutdown_on_exit=False,
    )
    last_trace = _LastTrace()
    provider.add_span_processor(last_trace)
    provider.add_span_processor(BatchSpanProcessor(_exporter(arguments.protocol, arguments.endpoint)))
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    client = openai.OpenAI(api_key="not-a-real-key", base_url=arguments.model_api, max_retries=0)

    for name in arguments.scenarios or SCENARIOS:
        (SCENARIOS | ON_REQUEST)[name](client)
        if not provider.force_flush(20_000):
            raise SystemExit(f"the spans of scenario {name} were not exported in time")
        print(json.dumps({"scenario": name, "trace_id": last_trace.trace_id}), flush=True)
    provider.shutdown()


class _LastTrace(SpanProcessor):
    """Remembers which trace started a span last."""

    trace_id = ""

    def on_start(self, span, parent_context=None) -> None:
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)


def _exporter(protocol: str, endpoint: str) -> SpanExporter:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter(endpoint=endpoint, insecure=True)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    return HttpExporter(endpoint=endpoint)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-api", required=True, help="base URL of an OpenAI-compatible API")
    parser.add_argument("--protocol", choices=("grpc", "http"), required=True)
    parser.add_argument("--endpoint", required=True, help="host:port for gRPC, the full traces URL for HTTP")
    names = f"of {', '.join(SCENARIOS | ON_REQUEST)}; default: {', '.join(SCENARIOS)}"
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=names)
    return parser.parse_args()


if __name__ == "__main__":
    main()
