"""Captures `openinference-instrumentation-openai-agents`: `py_openai_agents_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "gpt-4o-mini"


def _client(api: ModelApi) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


@function_tool(name_override=prompts.TOOL, description_override=prompts.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def handoff(api: ModelApi) -> None:
    """One agent hands over to another, which reasons, calls a tool and answers."""
    model = OpenAIResponsesModel(_MODEL, _client(api))
    weather = Agent(name="weather_agent", instructions=prompts.SYSTEM, model=model, tools=[get_weather])
    desk = Agent(name="front_desk", instructions="Hand over to who knows.", model=model, handoffs=[weather])
    with api.answering(
        "openai/response_handoff.json", "openai/response_tool_call.json", "openai/response_tool_result.json"
    ):
        Runner.run_sync(desk, prompts.WEATHER_QUESTION)


def chat_completions(api: ModelApi) -> None:
    """The same SDK over chat completions, as other providers offer them."""
    model = OpenAIChatCompletionsModel(_MODEL, _client(api))
    agent = Agent(name="weather_agent", instructions=prompts.SYSTEM, model=model, tools=[get_weather])
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        Runner.run_sync(agent, prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "openai_agents",
        ("openinference-instrumentation-openai-agents", "openai-agents", "openai"),
        lambda provider: OpenAIAgentsInstrumentor().instrument(tracer_provider=provider),
        {"handoff": handoff, "chat_completions": chat_completions},
    )
