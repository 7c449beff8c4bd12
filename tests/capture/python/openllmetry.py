"""Captures `openinference-instrumentation-openllmetry`: `py_openllmetry_<scenario>.pb`.

OpenLLMetry's instrumentation of OpenAI makes the spans; the span processor rewrites them when they end.
"""

from capture.python.recorder import record  # isort: skip

import openai
from openinference.instrumentation.openllmetry import OpenInferenceSpanProcessor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from capture.python.chat_completions import scenarios


def _instrument(provider: TracerProvider) -> None:
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    provider.add_span_processor(OpenInferenceSpanProcessor())


if __name__ == "__main__":
    record(
        "openllmetry",
        ("openinference-instrumentation-openllmetry", "opentelemetry-instrumentation-openai", "openai"),
        _instrument,
        scenarios(openai.OpenAI, "gpt-4o-mini"),
    )
