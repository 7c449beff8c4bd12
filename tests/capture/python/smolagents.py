"""Captures `openinference-instrumentation-smolagents`: `py_smolagents_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import json

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import CodeAgent, LogLevel, OpenAIServerModel, ToolCallingAgent, tool

from capture.python import asked
from capture.python.model_api import Answer, ModelApi, from_file


def _model(api: ModelApi) -> OpenAIServerModel:
    return OpenAIServerModel(
        model_id="gpt-4o-mini",
        api_base=f"{api.url}/v1",
        api_key="not-a-real-key",
        client_kwargs={"max_retries": 0},
    )


@tool
def get_weather(city: str) -> str:
    """The weather in a city, now.

    Args:
        city: Name of the city.
    """
    return f"{city}: {asked.WEATHER}"


def _said(text: str) -> Answer:
    body = json.loads(from_file("openai/chat.json").body)
    body["choices"][0]["message"]["content"] = text
    return Answer(json.dumps(body).encode())


def _called(call_id: str, tool_name: str, arguments: dict) -> Answer:
    body = json.loads(from_file("openai/tool_call.json").body)
    function = {"name": tool_name, "arguments": json.dumps(arguments)}
    body["choices"][0]["message"]["tool_calls"] = [{"id": call_id, "type": "function", "function": function}]
    return Answer(json.dumps(body).encode())


def tool_calling_agent(api: ModelApi) -> None:
    agent = ToolCallingAgent(tools=[get_weather], model=_model(api), verbosity_level=LogLevel.OFF)
    with api.answering(
        _called("call_1", asked.TOOL, {"city": "Lisbon"}),
        _called("call_2", "final_answer", {"answer": "It is 21 °C and sunny in Lisbon."}),
    ):
        agent.run(asked.WEATHER_QUESTION)


def code_agent(api: ModelApi) -> None:
    """An agent that acts by writing Python."""
    agent = CodeAgent(tools=[get_weather], model=_model(api), verbosity_level=LogLevel.OFF)
    with api.answering(
        _said('Thought: I look it up.\n<code>\nprint(get_weather(city="Lisbon"))\n</code>'),
        _said('Thought: I know it.\n<code>\nfinal_answer("It is 21 °C and sunny in Lisbon.")\n</code>'),
    ):
        agent.run(asked.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "smolagents",
        ("openinference-instrumentation-smolagents", "smolagents", "openai"),
        lambda provider: SmolagentsInstrumentor().instrument(tracer_provider=provider),
        {"tool_calling_agent": tool_calling_agent, "code_agent": code_agent},
    )
