"""Runs the scenarios of one instrumentor and writes what each of them exported, one payload a scenario.

Spans go through the SDK and the encoder of the OTLP exporter, so a payload is byte for byte what an application
would have sent for them. With `--autolog`, the same application sends them to MLflow through the Python package too.
"""

from capture.python.network_guard import guard_network  # isort: skip

guard_network()  # before anything is imported that could open a connection

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from openinference.semconv.resource import ResourceAttributes
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from capture import fixture_files
from capture.python.model_api import ModelApi

Scenario = Callable[[ModelApi], None]

_TESTS = Path(__file__).resolve().parents[2]


def record(instrumentor: str, packages: tuple[str, ...], instrument: Callable, scenarios: dict[str, Scenario]) -> None:
    """Write `py_<instrumentor>_<scenario>.pb` for each scenario.

    `instrument` takes the tracer provider; `packages` are the distributions that decide what the spans look like.
    """
    given = _arguments()
    if given.autolog:
        # The environment of a capture does not have the package.
        from e2e.harness import autolog

        tracking_uri, experiment, folder = given.autolog
        autolog.start(tracking_uri, experiment)
        for scenario, message in _exports(instrument, scenarios):
            (Path(folder) / f"py_{instrumentor}_{scenario}.pb").write_bytes(message.SerializeToString())
        autolog.require_delivered()
    else:
        exports = ((each, _without_local_paths(message)) for each, message in _exports(instrument, scenarios))
        _write_fixtures(instrumentor, packages, exports)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument(
        "--autolog",
        nargs=3,
        metavar=("TRACKING_URI", "EXPERIMENT", "FOLDER"),
        help="send the traces to MLflow with openinference_mlflow, and write the payloads into a folder; default: "
        "replace the fixtures",
    )
    return parser.parse_args()


def _exports(
    instrument: Callable, scenarios: dict[str, Scenario]
) -> Iterator[tuple[str, ExportTraceServiceRequest]]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: "capture", ResourceAttributes.PROJECT_NAME: "capture"})
    )
    trace.set_tracer_provider(provider)
    instrument(provider)
    # After the processors of an instrumentation, which change spans when they end.
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with ModelApi() as api:
        for scenario, run in scenarios.items():
            kept.clear()
            run(api)
            spans = kept.get_finished_spans()
            if not spans:
                raise SystemExit(f"scenario {scenario} made no span")
            yield scenario, encode_spans(spans)


def _write_fixtures(
    instrumentor: str, packages: tuple[str, ...], exports: Iterator[tuple[str, ExportTraceServiceRequest]]
) -> None:
    known = {
        "source": "captured",
        "packages": [f"{name} {version(name)}" for name in packages],
        "python": platform.python_version(),
        "captured": fixture_files.today(),
    }
    entries = {}
    for scenario, message in exports:
        body = message.SerializeToString()
        name = f"py_{instrumentor}_{scenario}.pb"
        entries[name] = (body, known | {"scenario": scenario} | fixture_files.describe(body))
        print(f"{name}: {len(body)} bytes")
    fixture_files.write(entries)


def _without_local_paths(message: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """Stack traces name files of the machine that captured them: those paths become `/srv/app/…`."""
    renamed = ((sys.prefix, "/srv/app/venv"), (sys.base_prefix, "/usr"), (str(_TESTS), "/srv/app"))
    for span in (s for rs in message.resource_spans for ss in rs.scope_spans for s in ss.spans):
        for value in (attribute.value for event in span.events for attribute in event.attributes):
            if value.HasField("string_value"):
                value.string_value = _renamed(value.string_value, renamed)
        span.status.message = _renamed(span.status.message, renamed)
    return message


def _renamed(text: str, renamed: tuple[tuple[str, str], ...]) -> str:
    for found, put in renamed:
        text = text.replace(found, put)
    return text
