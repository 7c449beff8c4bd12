"""Captures `openinference-instrumentation-cohere`: `py_cohere_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import cohere
from openinference.instrumentation.cohere import CohereInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "command-a-03-2025"


def _client(api: ModelApi) -> cohere.ClientV2:
    return cohere.ClientV2(api_key="not-a-real-key", base_url=api.uri)


def conversation(api: ModelApi) -> None:
    with api.answering("cohere/chat.json"):
        _client(api).chat(model=_MODEL, messages=prompts.CHAT_DIALOGUE, temperature=0.2)


def tool_result(api: ModelApi) -> None:
    client, asked = _client(api), [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("cohere/tool_call.json", "cohere/tool_result.json"):
        first = client.chat(model=_MODEL, messages=asked, tools=[prompts.CHAT_TOOL])
        result = {"role": "tool", "tool_call_id": first.message.tool_calls[0].id, "content": prompts.WEATHER}
        # An application may pass the reply as the object that it is.
        client.chat(model=_MODEL, messages=[*asked, first.message, result], tools=[prompts.CHAT_TOOL])


if __name__ == "__main__":
    record(
        "cohere",
        ("openinference-instrumentation-cohere", "cohere"),
        lambda provider: CohereInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
