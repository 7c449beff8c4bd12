"""Captures `openinference-instrumentation-groq`: `py_groq_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import groq
from openinference.instrumentation.groq import GroqInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "llama-3.3-70b-versatile"
_TOOLS = [prompts.CHAT_TOOL]


def _client(api: ModelApi) -> groq.Groq:
    return groq.Groq(api_key="not-a-real-key", base_url=api.uri, max_retries=0)


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        _client(api).chat.completions.create(
            model=_MODEL,
            messages=prompts.CHAT_DIALOGUE,
            temperature=0.2,
        )


def tool_result(api: ModelApi) -> None:
    client = _client(api)
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_call.json", "openai/tool_result.json"):
        first = client.chat.completions.create(model=_MODEL, messages=messages, tools=_TOOLS)
        reply = first.choices[0].message
        call = reply.tool_calls[0]
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER},
        ]
        client.chat.completions.create(model=_MODEL, messages=messages, tools=_TOOLS)


if __name__ == "__main__":
    record(
        "groq",
        ("openinference-instrumentation-groq", "groq"),
        lambda provider: GroqInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result},
    )
