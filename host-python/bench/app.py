"""One side of the benchmark, in a process of its own: makes spans at a steady rate, and prints what that took as JSON.

SIDE is `none` (a provider without processors), `otlp` (OpenTelemetry's batch processor and OTLP exporter), `mlflow`
(`mlflow.otel.autolog()`) or `ours`.
"""

import json
import os
import resource
import statistics
import time
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

SIDE, URI = os.environ["SIDE"], os.environ["URI"]
RATE, SECONDS = int(os.environ["RATE"]), float(os.environ["SECONDS"])
SPANS_PER_TRACE = 10

TEXT = "The quick brown fox jumps over the lazy dog. " * 8
# A call to a model as an OpenInference instrumentor describes it: 47 attributes, 5 KB.
CALL = {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "gpt-4o-mini",
    "llm.invocation_parameters": '{"model":"gpt-4o-mini","temperature":0.5}',
    "llm.token_count.prompt": 512,
    "llm.token_count.completion": 128,
    "llm.token_count.total": 640,
    "input.value": json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": TEXT}]}),
    "input.mime_type": "application/json",
    "output.value": json.dumps({"choices": [{"message": {"role": "assistant", "content": TEXT}}]}),
    "output.mime_type": "application/json",
    "session.id": "session-1",
    "user.id": "user-1",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": TEXT,
}
for number in range(16):
    CALL[f"llm.input_messages.{number}.message.role"] = "assistant" if number % 2 else "user"
    CALL[f"llm.input_messages.{number}.message.content"] = TEXT[:240]


def start() -> tuple[float, Callable[[], None]]:
    """Imports and starts the side. Returns the seconds of the import, and a function that flushes."""
    began = time.perf_counter()
    if SIDE == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        imported = time.perf_counter() - began
        exporter = OTLPSpanExporter(endpoint=f"{URI}/v1/traces", headers={"x-mlflow-experiment-id": "0"})
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        return imported, lambda: provider.force_flush()
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    if SIDE == "mlflow":
        import mlflow.otel

        imported = time.perf_counter() - began
        mlflow.set_tracking_uri(URI)
        mlflow.otel.autolog()
        return imported, lambda: provider.force_flush()
    if SIDE == "ours":
        import openinference_mlflow

        imported = time.perf_counter() - began
        openinference_mlflow.autolog(tracking_uri=URI, experiment_id="0", silent=True)
        return imported, lambda: assert_true(openinference_mlflow.flush(60))
    return 0.0, lambda: None


def assert_true(is_flushed: bool) -> None:
    assert is_flushed, "the flush failed"


def make_trace(tracer: trace.Tracer) -> None:
    chain = {"openinference.span.kind": "CHAIN", "input.value": "in"}
    with tracer.start_as_current_span("chain", attributes=chain):
        for _ in range(SPANS_PER_TRACE - 1):
            with tracer.start_as_current_span("call") as span:
                span.set_attributes(CALL)


began = time.perf_counter()
import_seconds, flush = start()
tracer = trace.get_tracer("bench")
make_trace(tracer)
flush()
first_trace_seconds = time.perf_counter() - began

made = 0
thread_seconds: list[float] = []
wall_seconds: list[float] = []
process_before, start_at = time.process_time(), time.perf_counter()
while (elapsed := time.perf_counter() - start_at) < SECONDS:
    if made >= elapsed * RATE:
        time.sleep(0.002)
        continue
    thread_before, wall_before = time.thread_time(), time.perf_counter()
    make_trace(tracer)
    thread_seconds.append(time.thread_time() - thread_before)
    wall_seconds.append(time.perf_counter() - wall_before)
    made += SPANS_PER_TRACE
flush()
process_seconds = time.process_time() - process_before

print(
    json.dumps(
        {
            "spans": made + SPANS_PER_TRACE,
            "import_seconds": import_seconds,
            "first_trace_seconds": first_trace_seconds,
            # Of the trace in the middle: the machine may do other work during some.
            "thread_micros": statistics.median(thread_seconds) * 1e6 / SPANS_PER_TRACE,
            "wall_micros": statistics.median(wall_seconds) * 1e6 / SPANS_PER_TRACE,
            "process_micros": process_seconds * 1e6 / made,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
