"""Captures `openinference-instrumentation-smolagents`: `py_smolagents_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import CodeAgent, LogLevel, OpenAIServerModel, ToolCallingAgent, tool

from capture.python import prompts
from capture.python.model_api import ModelApi
from capture.python.openai_answers import calling, saying


def _model(api: ModelApi) -> OpenAIServerModel:
    return OpenAIServerModel(
        model_id="gpt-4o-mini",
        api_base=f"{api.uri}/v1",
        api_key="not-a-real-key",
        client_kwargs={"max_retries": 0},
    )


@tool
def get_weather(city: str) -> str:
    """The weather in a city, now.

    Args:
        city: Name of the city.
    """
    return f"{city}: {prompts.WEATHER}"


def tool_calling_agent(api: ModelApi) -> None:
    agent = ToolCallingAgent(tools=[get_weather], model=_model(api), verbosity_level=LogLevel.OFF)
    with api.answering(
        calling("call_1", prompts.TOOL, {"city": "Lisbon"}),
        calling("call_2", "final_answer", {"answer": "It is 21 °C and sunny in Lisbon."}),
    ):
        agent.run(prompts.WEATHER_QUESTION)


def code_agent(api: ModelApi) -> None:
    """An agent that acts by writing Python."""
    agent = CodeAgent(tools=[get_weather], model=_model(api), verbosity_level=LogLevel.OFF)
    with api.answering(
        saying('Thought: I look it up.\n<code>\nprint(get_weather(city="Lisbon"))\n</code>'),
        saying('Thought: I know it.\n<code>\nfinal_answer("It is 21 °C and sunny in Lisbon.")\n</code>'),
    ):
        agent.run(prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "smolagents",
        ("openinference-instrumentation-smolagents", "smolagents", "openai"),
        lambda provider: SmolagentsInstrumentor().instrument(tracer_provider=provider),
        {"tool_calling_agent": tool_calling_agent, "code_agent": code_agent},
    )
