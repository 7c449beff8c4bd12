"""Captures `openinference-instrumentation-typesafe`: `py_typesafe_<scenario>.pb`.

Its model decides between given answers and says nothing, so that its spans are of the kind `DECISION`.
"""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.typesafe import TypeSafeAIInstrumentor
from typesafe_sdk import Choice, Noul, TypeSafeClient

from capture.python.model_api import ModelApi


def decision(api: ModelApi) -> None:
    questions = {
        "category": Choice(instructions="What is this ticket about?", criteria={"billing": None, "technical": None, "other": None}),
        "urgent": Noul(instructions="Is it urgent?"),
    }
    with api.answering("typesafe/answers.json"), TypeSafeClient(api_key="not-a-real-key", base_url=api.uri) as client:
        client.system_one(state={"ticket": "I was charged twice. Please fix this today."}, questions=questions)


if __name__ == "__main__":
    record(
        "typesafe",
        ("openinference-instrumentation-typesafe", "typesafe-sdk"),
        lambda provider: TypeSafeAIInstrumentor().instrument(tracer_provider=provider),
        {"decision": decision},
    )
