"""Captures `openinference-instrumentation-mistralai`: `py_mistralai_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from mistralai.client import Mistral
from openinference.instrumentation.mistralai import MistralAIInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "mistral-small-latest"
_TOOLS = [prompts.CHAT_TOOL]


def _client(api: ModelApi) -> Mistral:
    return Mistral(api_key="not-a-real-key", server_url=api.uri)


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _client(api).chat.complete(
            model=_MODEL,
            messages=prompts.CHAT_DIALOGUE,
            temperature=0.2,
        )


def tool_result(api: ModelApi) -> None:
    client = _client(api)
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        first = client.chat.complete(model=_MODEL, messages=messages, tools=_TOOLS)
        reply = first.choices[0].message
        call = reply.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "name": prompts.TOOL, "content": prompts.WEATHER}
        # An application may pass the reply as the object that it is.
        client.chat.complete(model=_MODEL, messages=[*messages, reply, result], tools=_TOOLS)


if __name__ == "__main__":
    record(
        "mistralai",
        ("openinference-instrumentation-mistralai", "mistralai"),
        lambda provider: MistralAIInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
