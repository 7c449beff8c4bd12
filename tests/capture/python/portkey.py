"""Captures `openinference-instrumentation-portkey`: `py_portkey_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.portkey import PortkeyInstrumentor
from portkey_ai import Portkey

from capture.python import prompts
from capture.python.model_api import ModelApi


def _client(api: ModelApi) -> Portkey:
    return Portkey(api_key="not-a-real-key", provider="openai", base_url=f"{api.uri}/v1")


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _client(api).chat.completions.create(model="gpt-4o-mini", messages=prompts.CHAT_DIALOGUE)


def tool_result(api: ModelApi) -> None:
    """A call of a tool, then the model's answer to what the tool found."""
    client, asked = _client(api), [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        first = client.chat.completions.create(model="gpt-4o-mini", messages=asked, tools=[prompts.CHAT_TOOL])
        call = first.choices[0].message.tool_calls[0]
        calls = [{"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}]
        answers = [
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER},
        ]
        client.chat.completions.create(model="gpt-4o-mini", messages=[*asked, *answers], tools=[prompts.CHAT_TOOL])


if __name__ == "__main__":
    record(
        "portkey",
        ("openinference-instrumentation-portkey", "portkey-ai"),
        lambda provider: PortkeyInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
