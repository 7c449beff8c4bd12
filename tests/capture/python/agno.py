"""Captures `openinference-instrumentation-agno`: `py_agno_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from openinference.instrumentation.agno import AgnoInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import calling


def _model(api: ModelApi) -> OpenAIChat:
    return OpenAIChat(id="gpt-4o-mini", api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


def get_weather(city: str) -> str:
    """The weather in a city, now.

    Args:
        city: Name of the city.
    """
    return f"{city}: {prompts.WEATHER}"


def _weather_agent(api: ModelApi) -> Agent:
    return Agent(
        id="weather-agent",
        name="weather_agent",
        model=_model(api),
        instructions=prompts.SYSTEM,
        tools=[get_weather],
        telemetry=False,
    )


def agent(api: ModelApi) -> None:
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        _weather_agent(api).run(prompts.WEATHER_QUESTION, session_id="session-1", user_id="user-1")


def team(api: ModelApi) -> None:
    """The leader of a team gives the task to its member, which answers."""
    weather = _weather_agent(api)
    desk = Team(id="desk", name="desk", members=[weather], model=_model(api), telemetry=False)
    delegation = calling(
        "call_0", "delegate_task_to_member", {"member_id": "weather-agent", "task": prompts.WEATHER_QUESTION}
    )
    with api.answering(delegation, "openai/tool_call.json", "openai/tool_result.json", "openai/tool_result.json"):
        desk.run(prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "agno",
        ("openinference-instrumentation-agno", "agno", "openai"),
        lambda provider: AgnoInstrumentor().instrument(tracer_provider=provider),
        {"agent": agent, "team": team},
    )
