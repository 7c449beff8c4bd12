"""Captures what Python's `openinference-instrumentation-openai` sends: `py_openai_<scenario>.pb`.

The application of the end-to-end tests runs against the mock model API and exports to a sink; each scenario is one
export. Run in `tests/`: `../.venv/bin/python -m capture.openai_python`.
"""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from capture import fixture_files
from e2e.harness.application import run_openai_app
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.otlp_sink import OtlpSink

_TESTS = Path(__file__).resolve().parents[1]
_PACKAGE = "openinference-instrumentation-openai"


def main() -> None:
    known = {
        "source": "captured",
        "packages": [f"{name} {version(name)}" for name in (_PACKAGE, "openai")],
        "python": platform.python_version(),
        "captured": fixture_files.today(),
    }
    fixture_files.write(
        {
            f"py_openai_{scenario}.pb": (
                _without_local_paths(body),
                known | {"scenario": scenario} | fixture_files.describe(body),
            )
            for scenario, body in export_scenarios().items()
        }
    )


def export_scenarios(options: tuple[str, ...] = (), python: Path = Path(sys.executable)) -> dict[str, bytes]:
    """What the application exports in each scenario. `options` and `python` are those of `run_openai_app`."""
    with MockOpenAI() as model_api, OtlpSink() as sink:
        scenarios = run_openai_app(model_api.base_url, "http", sink.traces_url, options=options, python=python)
        bodies = sink.bodies
    if len(scenarios) != len(bodies):
        raise SystemExit(f"{len(scenarios)} scenarios made {len(bodies)} exports; each must make exactly one")
    return dict(zip(scenarios, bodies, strict=True))


def _without_local_paths(body: bytes) -> bytes:
    """Stack traces name files of the machine that captured them: those paths become `/srv/app/…`."""
    message = ExportTraceServiceRequest.FromString(body)
    renamed = ((sys.prefix, "/srv/app/venv"), (sys.base_prefix, "/usr"), (str(_TESTS), "/srv/app"))
    spans = (s for rs in message.resource_spans for ss in rs.scope_spans for s in ss.spans)
    for attribute in (a for span in spans for event in span.events for a in event.attributes):
        if attribute.value.HasField("string_value"):
            for found, put in renamed:
                attribute.value.string_value = attribute.value.string_value.replace(found, put)
    return message.SerializeToString()


if __name__ == "__main__":
    main()
