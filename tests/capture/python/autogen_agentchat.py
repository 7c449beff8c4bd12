"""Captures `openinference-instrumentation-autogen-agentchat`: `py_autogen_agentchat_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


def _model(api: ModelApi) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model="gpt-4o-mini", api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0
    )


async def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: {prompts.WEATHER}"


def agent(api: ModelApi) -> None:
    weather = AssistantAgent(
        name="weather_agent",
        model_client=_model(api),
        tools=[get_weather],
        system_message=prompts.SYSTEM,
        reflect_on_tool_use=True,
    )
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        asyncio.run(weather.run(task=prompts.WEATHER_QUESTION))


if __name__ == "__main__":
    record(
        "autogen_agentchat",
        ("openinference-instrumentation-autogen-agentchat", "autogen-agentchat", "openai"),
        lambda provider: AutogenAgentChatInstrumentor().instrument(tracer_provider=provider),
        {"agent": agent},
    )
