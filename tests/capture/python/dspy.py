"""Captures `openinference-instrumentation-dspy`: `py_dspy_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import dspy
from openinference.instrumentation.dspy import DSPyInstrumentor

from capture.python import prompts
from capture.python.model_api import Answer, ModelApi
from capture.python.openai_answers import saying


def _language_model(api: ModelApi) -> dspy.LM:
    return dspy.LM("openai/gpt-4o-mini", api_base=f"{api.uri}/v1", api_key="not-a-real-key", cache=False, num_retries=0)


def _filled(**fields: str) -> Answer:
    """An answer in the form that DSPy's chat adapter asks the model for."""
    marked = [f"[[ ## {name} ## ]]\n{text}" for name, text in fields.items()]
    return saying("\n\n".join([*marked, "[[ ## completed ## ]]"]))


def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return f"{city}: {prompts.WEATHER}"


def chain_of_thought(api: ModelApi) -> None:
    with (
        dspy.context(lm=_language_model(api)),
        api.answering(_filled(reasoning="It is well known.", answer=prompts.FIRST_ANSWER)),
    ):
        dspy.ChainOfThought("question -> answer")(question=prompts.FIRST_QUESTION)


def react(api: ModelApi) -> None:
    """An agent that calls a tool and then answers."""
    answers = (
        _filled(next_thought="I look it up.", next_tool_name=prompts.TOOL, next_tool_args='{"city": "Lisbon"}'),
        _filled(next_thought="I know it.", next_tool_name="finish", next_tool_args="{}"),
        _filled(reasoning="The tool said so.", answer="It is 21 °C and sunny in Lisbon."),
    )
    with dspy.context(lm=_language_model(api)), api.answering(*answers):
        dspy.ReAct("question -> answer", tools=[get_weather])(question=prompts.WEATHER_QUESTION)


if __name__ == "__main__":
    record(
        "dspy",
        ("openinference-instrumentation-dspy", "dspy", "litellm"),
        lambda provider: DSPyInstrumentor().instrument(tracer_provider=provider),
        {"chain_of_thought": chain_of_thought, "react": react},
    )
