"""Captures `openinference-instrumentation-instructor`: `py_instructor_<scenario>.pb`.

Instructor's spans are around the client's calls, so the instrumentation of OpenAI's client is there as well, as its
documentation has it.
"""

from capture.python.recorder import record  # isort: skip

import instructor
from openai import OpenAI
from openinference.instrumentation.instructor import InstructorInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from pydantic import BaseModel

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import calling


class Weather(BaseModel):
    """The weather in a city, now."""

    city: str
    celsius: int


def structured(api: ModelApi) -> None:
    client = instructor.from_openai(OpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0))
    with api.answering(calling("call_1", "Weather", {"city": "Lisbon", "celsius": 21})):
        client.chat.completions.create(
            model="gpt-4o-mini",
            response_model=Weather,
            messages=[
                {"role": "system", "content": prompts.SYSTEM},
                {"role": "user", "content": prompts.WEATHER_QUESTION},
            ],
        )


def _instrument(provider) -> None:
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    InstructorInstrumentor().instrument(tracer_provider=provider)


if __name__ == "__main__":
    record(
        "instructor",
        ("openinference-instrumentation-instructor", "openinference-instrumentation-openai", "instructor", "openai"),
        _instrument,
        {"structured": structured},
    )
