"""Captures `openinference-instrumentation-pydantic-ai`: `py_pydantic_ai_<scenario>.pb`.

Pydantic AI makes the spans itself, and the instrumentation's processor adds OpenInference's attributes to them.
"""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.pydantic_ai import OpenInferenceSpanProcessor
from pydantic import BaseModel
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import calling


class Weather(BaseModel):
    """What an agent with a structured result returns."""

    city: str
    celsius: int


def _model(api: ModelApi) -> OpenAIChatModel:
    provider = OpenAIProvider(base_url=f"{api.uri}/v1", api_key="not-a-real-key")
    return OpenAIChatModel("gpt-4o-mini", provider=provider)


def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: {prompts.WEATHER}"


def agent(api: ModelApi) -> None:
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        Agent(_model(api), name="weather_agent", instructions=prompts.SYSTEM, tools=[get_weather]).run_sync(
            prompts.WEATHER_QUESTION
        )


def structured(api: ModelApi) -> None:
    """The result is an object, which the model returns as the arguments of a tool."""
    with api.answering(calling("call_1", "final_result", {"city": "Lisbon", "celsius": 21})):
        Agent(_model(api), name="weather_agent", output_type=Weather).run_sync(prompts.WEATHER_QUESTION)


def _instrument(provider) -> None:
    provider.add_span_processor(OpenInferenceSpanProcessor())
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))


if __name__ == "__main__":
    record(
        "pydantic_ai",
        ("openinference-instrumentation-pydantic-ai", "pydantic-ai-slim", "openai"),
        _instrument,
        {"agent": agent, "structured": structured},
    )
