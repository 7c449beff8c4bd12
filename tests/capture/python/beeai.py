"""Captures `openinference-instrumentation-beeai`: `py_beeai_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import asyncio

from beeai_framework.adapters.openai import OpenAIChatModel
from beeai_framework.agents.requirement import RequirementAgent
from beeai_framework.backend import ChatModelParameters
from beeai_framework.memory import UnconstrainedMemory
from beeai_framework.tools import tool
from openinference.instrumentation.beeai import BeeAIInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import calling


@tool(name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def _model(api: ModelApi) -> OpenAIChatModel:
    parameters = ChatModelParameters(temperature=0, stream=False)
    return OpenAIChatModel("gpt-4o-mini", parameters=parameters, api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


def agent(api: ModelApi) -> None:
    """An agent that calls a tool and gives its answer by another."""
    weather = RequirementAgent(
        llm=_model(api), tools=[get_weather], instructions=prompts.SYSTEM, memory=UnconstrainedMemory()
    )
    answer = calling("call_2", "final_answer", {"response": "It is 21 °C and sunny in Lisbon."})
    with api.answering("openai/tool_call.json", answer):
        asyncio.run(_run(weather))


async def _run(weather: RequirementAgent) -> None:
    await weather.run(prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "beeai",
        ("openinference-instrumentation-beeai", "beeai-framework", "litellm"),
        lambda provider: BeeAIInstrumentor().instrument(tracer_provider=provider),
        {"agent": agent},
    )
