"""Captures `openinference-instrumentation-google-adk`: `py_google_adk_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import asyncio
import os

from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types
from openinference.instrumentation.google_adk import GoogleADKInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


def get_weather(city: str) -> dict:
    """The weather in a city, now."""
    return {"weather": f"{city}: {prompts.WEATHER}"}


async def _ask() -> None:
    agent = Agent(
        name="weather_agent",
        model="gemini-2.5-flash",
        instruction=prompts.SYSTEM,
        tools=[get_weather],
    )
    runner = InMemoryRunner(agent, app_name="weather")
    await runner.session_service.create_session(app_name="weather", user_id="user-1", session_id="session-1")
    question = types.Content(role="user", parts=[types.Part(text=prompts.WEATHER_QUESTION)])
    async for _ in runner.run_async(user_id="user-1", session_id="session-1", new_message=question):
        pass


def agent(api: ModelApi) -> None:
    os.environ |= {"GOOGLE_API_KEY": "not-a-real-key", "GOOGLE_GEMINI_BASE_URL": api.uri}
    with api.answering("google/function_call.json", "google/function_result.json"):
        asyncio.run(_ask())


if __name__ == "__main__":
    record(
        "google_adk",
        ("openinference-instrumentation-google-adk", "google-adk", "google-genai"),
        lambda provider: GoogleADKInstrumentor().instrument(tracer_provider=provider),
        {"agent": agent},
    )
