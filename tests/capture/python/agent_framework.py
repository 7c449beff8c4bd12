"""Captures `openinference-instrumentation-agent-framework`: `py_agent_framework_<scenario>.pb`.

Microsoft's Agent Framework makes spans of GenAI's conventions; the span processor of the instrumentation rewrites them when they end.
"""

from capture.python.recorder import record  # isort: skip

import asyncio

from agent_framework import tool
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI
from openinference.instrumentation.agent_framework import AgentFrameworkToOpenInferenceProcessor
from opentelemetry.sdk.trace import TracerProvider

from capture.python import prompts
from capture.python.model_api import ModelApi


@tool(name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION, approval_mode="never_require")
def get_weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def agent(api: ModelApi) -> None:
    """An agent that calls a tool and answers."""
    client = AsyncOpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)
    model = OpenAIChatCompletionClient(model="gpt-4o-mini", async_client=client)
    weather = model.as_agent(name="weather_agent", instructions=prompts.SYSTEM, tools=[get_weather])
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        asyncio.run(weather.run(prompts.WEATHER_QUESTION))


def _instrument(provider: TracerProvider) -> None:
    enable_instrumentation(enable_sensitive_data=True)
    provider.add_span_processor(AgentFrameworkToOpenInferenceProcessor())


if __name__ == "__main__":
    record(
        "agent_framework",
        ("openinference-instrumentation-agent-framework", "agent-framework-core", "agent-framework-openai", "openai"),
        _instrument,
        {"agent": agent},
    )
