"""Captures `openinference-instrumentation-together`: `py_together_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

from openinference.instrumentation.together import TogetherInstrumentor
from together import Together

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
_TOOLS = [prompts.CHAT_TOOL]


def _client(api: ModelApi) -> Together:
    return Together(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _client(api).chat.completions.create(model=_MODEL, messages=prompts.CHAT_DIALOGUE, temperature=0.2)


def tool_result(api: ModelApi) -> None:
    client, asked = _client(api), [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        first = client.chat.completions.create(model=_MODEL, messages=asked, tools=_TOOLS)
        call = first.choices[0].message.tool_calls[0]
        answers = [
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER},
        ]
        client.chat.completions.create(model=_MODEL, messages=[*asked, *answers], tools=_TOOLS)


if __name__ == "__main__":
    record(
        "together",
        ("openinference-instrumentation-together", "together"),
        lambda provider: TogetherInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
