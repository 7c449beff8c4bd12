"""Captures `openinference-instrumentation-ollama`: `py_ollama_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import ollama
from openinference.instrumentation.ollama import OllamaInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "llama3.2"


def conversation(api: ModelApi) -> None:
    with api.answering("ollama/chat.json"):
        ollama.Client(api.uri).chat(model=_MODEL, messages=prompts.CHAT_DIALOGUE, options={"temperature": 0.2})


def tool_result(api: ModelApi) -> None:
    client, asked = ollama.Client(api.uri), [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("ollama/tool_call.json", "ollama/tool_result.json"):
        first = client.chat(model=_MODEL, messages=asked, tools=[prompts.CHAT_TOOL])
        result = {"role": "tool", "tool_name": prompts.TOOL, "content": prompts.WEATHER}
        # An application may pass the reply as the object that it is.
        client.chat(model=_MODEL, messages=[*asked, first.message, result], tools=[prompts.CHAT_TOOL])


if __name__ == "__main__":
    record(
        "ollama",
        ("openinference-instrumentation-ollama", "ollama"),
        lambda provider: OllamaInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
