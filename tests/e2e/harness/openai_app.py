"""An application as users write them: the OpenAI SDK, OpenInference's instrumentor, an OTLP exporter.

Runs as a program of its own, so that it is instrumented from its first line and ends as an application ends:

    python -m e2e.harness.openai_app --model-api URL --protocol grpc|http|phoenix --endpoint TARGET
        [--autolog TRACKING_URI EXPERIMENT [--autolog-last]] [SCENARIO…]

`phoenix` leaves provider and exporter to `phoenix.otel.register`. With `--autolog`, the traces also go to MLflow through
the Python package. Prints one JSON line for each scenario, `{"scenario": …, "trace_id": …}`, after its spans were exported.
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
    if arguments.autolog and not arguments.autolog_last:
        _autolog(*arguments.autolog)
    last_trace = _LastTrace()
    provider = _provider(arguments.protocol, arguments.endpoint, last_trace)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    if arguments.autolog_last:
        _autolog(*arguments.autolog)
    client = openai.OpenAI(api_key="not-a-real-key", base_url=arguments.model_api, max_retries=0)

    for name in arguments.scenarios or SCENARIOS:
        (SCENARIOS | ON_REQUEST)[name](client)
        if not provider.force_flush(20_000):
            raise SystemExit(f"the spans of scenario {name} were not exported in time")
        print(json.dumps({"scenario": name, "trace_id": last_trace.trace_id}), flush=True)
    provider.shutdown()
    if arguments.autolog:
        from e2e.harness import autolog

        autolog.require_delivered()


class _LastTrace(SpanProcessor):
    """Remembers which trace started a span last."""

    trace_id = ""

    def on_start(self, span, parent_context=None) -> None:
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        # Old SDKs have a base class that returns nothing.
        return True


def _autolog(tracking_uri: str, experiment: str) -> None:
    # Most environments of the tests do not have what it needs.
    from e2e.harness import autolog

    autolog.start(tracking_uri, experiment)


def _provider(protocol: str, endpoint: str, last_trace: SpanProcessor) -> TracerProvider:
    if protocol == "phoenix":
        import phoenix.otel

        provider = phoenix.otel.register(endpoint=endpoint, project_name=PROJECT, batch=True, verbose=False)
        # Phoenix's own method would take its exporter away.
        TracerProvider.add_span_processor(provider, last_trace)
        return provider
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: SERVICE, ResourceAttributes.PROJECT_NAME: PROJECT}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(last_trace)
    provider.add_span_processor(BatchSpanProcessor(_exporter(protocol, endpoint)))
    trace.set_tracer_provider(provider)
    return provider


def _exporter(protocol: str, endpoint: str) -> SpanExporter:
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter(endpoint=endpoint, insecure=True)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    return HttpExporter(endpoint=endpoint)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-api", required=True, help="base URL of an OpenAI-compatible API")
    parser.add_argument("--protocol", choices=("grpc", "http", "phoenix"), required=True)
    parser.add_argument("--endpoint", required=True, help="host:port for gRPC, else the full traces URL")
    parser.add_argument("--autolog", nargs=2, metavar=("TRACKING_URI", "EXPERIMENT"))
    parser.add_argument("--autolog-last", action="store_true", help="after provider and instrumentor, not before them")
    names = f"of {', '.join(SCENARIOS | ON_REQUEST)}; default: {', '.join(SCENARIOS)}"
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=names)
    return parser.parse_args()


if __name__ == "__main__":
    main()
