"""Captures `openinference-instrumentation-ag2`: `py_ag2_<scenario>.pb`.

It covers the API that AG2 has up to 0.14, and `openinference-instrumentation-autogen` is its old name. It makes no spans of calls to
a model, so OpenAI's client is instrumented as well.
"""

from capture.python.recorder import record  # isort: skip

from autogen import AssistantAgent, LLMConfig, UserProxyAgent, register_function
from openinference.instrumentation.ag2 import AG2Instrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from capture.python import prompts
from capture.python.model_api import ModelApi


def get_weather(city: str) -> str:
    return f"{city}: {prompts.WEATHER}"


def chat(api: ModelApi) -> None:
    """Two agents: the one that asks also runs the tool that the other calls."""
    config = LLMConfig(
        {"model": "gpt-4o-mini", "api_type": "openai", "api_key": "not-a-real-key", "base_url": f"{api.uri}/v1", "max_retries": 0}
    )
    assistant = AssistantAgent("weather_agent", system_message=prompts.SYSTEM, llm_config=config)
    user = UserProxyAgent("user", human_input_mode="NEVER", code_execution_config=False, is_termination_msg=_is_answer)
    register_function(get_weather, caller=assistant, executor=user, name=prompts.TOOL, description=prompts.TOOL_DESCRIPTION)
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        user.initiate_chat(assistant, message=prompts.WEATHER_QUESTION, silent=True)


def _is_answer(message: dict) -> bool:
    return not message.get("tool_calls")


def _instrument(provider: TracerProvider) -> None:
    AG2Instrumentor().instrument(tracer_provider=provider)
    OpenAIInstrumentor().instrument(tracer_provider=provider)


if __name__ == "__main__":
    record(
        "ag2",
        ("openinference-instrumentation-ag2", "openinference-instrumentation-openai", "ag2", "openai"),
        _instrument,
        {"chat": chat},
    )
