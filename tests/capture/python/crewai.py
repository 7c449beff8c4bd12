"""Captures `openinference-instrumentation-crewai`: `py_crewai_<scenario>.pb`.

The spans of model calls come from the instrumentation of OpenAI's client, as its documentation has it.
"""

from capture.python.recorder import record  # isort: skip

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


@tool(prompts.TOOL)
def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: {prompts.WEATHER}"


def crew(api: ModelApi) -> None:
    """A crew of one agent, which calls a tool and answers."""
    model = LLM(model="openai/gpt-4o-mini", base_url=f"{api.uri}/v1", api_key="not-a-real-key", max_retries=0)
    agent = Agent(role="weather agent", goal=prompts.SYSTEM, backstory="You know.", llm=model, tools=[get_weather])
    task = Task(description=prompts.WEATHER_QUESTION, expected_output="One sentence.", agent=agent)
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        Crew(agents=[agent], tasks=[task], tracing=False).kickoff(inputs={"city": "Lisbon"})


def _instrument(provider) -> None:
    CrewAIInstrumentor().instrument(tracer_provider=provider)
    OpenAIInstrumentor().instrument(tracer_provider=provider)


if __name__ == "__main__":
    record(
        "crewai",
        ("openinference-instrumentation-crewai", "openinference-instrumentation-openai", "crewai", "openai"),
        _instrument,
        {"crew": crew},
    )
