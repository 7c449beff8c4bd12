"""Captures `openinference-instrumentation-together`: `py_together_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.together import TogetherInstrumentor
from together import Together

from capture.python.chat_completions import scenarios

if __name__ == "__main__":
    record(
        "together",
        ("openinference-instrumentation-together", "together"),
        lambda provider: TogetherInstrumentor().instrument(tracer_provider=provider),
        scenarios(Together, "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    )
