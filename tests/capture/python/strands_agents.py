"""Captures `openinference-instrumentation-strands-agents`: `py_strands_agents_<scenario>.pb`.

Strands makes spans of GenAI's conventions; the span processor of the instrumentation rewrites them when they end.
"""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.strands_agents import StrandsAgentsToOpenInferenceProcessor
from strands import Agent, tool
from strands.models.openai import OpenAIModel

from capture.python import prompts
from capture.python.model_api import ModelApi


@tool(name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def agent(api: ModelApi) -> None:
    client = {"api_key": "not-a-real-key", "base_url": f"{api.uri}/v1", "max_retries": 0}
    model = OpenAIModel(client_args=client, model_id="gpt-4o-mini", stream=False)
    weather = Agent(
        name="weather_agent",
        model=model,
        system_prompt=prompts.SYSTEM,
        tools=[get_weather],
        callback_handler=None,
        trace_attributes={"session.id": "session-1", "user.id": "user-1"},
    )
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        weather(prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "strands_agents",
        ("openinference-instrumentation-strands-agents", "strands-agents", "openai"),
        lambda provider: provider.add_span_processor(StrandsAgentsToOpenInferenceProcessor()),
        {"agent": agent},
    )
