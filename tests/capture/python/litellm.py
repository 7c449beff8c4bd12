"""Captures `openinference-instrumentation-litellm`: `py_litellm_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import litellm
from openinference.instrumentation.litellm import LiteLLMInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_TOOLS = [prompts.CHAT_TOOL]


def _openai(api: ModelApi) -> dict:
    return {"model": "openai/gpt-4o-mini", "api_base": f"{api.uri}/v1", "api_key": "not-a-real-key", "num_retries": 0}


def _anthropic(api: ModelApi) -> dict:
    return {
        "model": "anthropic/claude-sonnet-5-5",
        "api_base": api.uri,
        "api_key": "not-a-real-key",
        "num_retries": 0,
    }


def conversation(api: ModelApi) -> None:
    with api.answering("openai/chat.json"):
        litellm.completion(
            **_openai(api),
            temperature=0.2,
            messages=prompts.CHAT_DIALOGUE,
        )


def tool_result(api: ModelApi) -> None:
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_calls.json", "openai/tool_result.json"):
        first = litellm.completion(**_openai(api), messages=messages, tools=_TOOLS)
        reply = first.choices[0].message
        messages.append(reply)
        messages += [{"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER} for call in reply.tool_calls]
        litellm.completion(**_openai(api), messages=messages, tools=_TOOLS)


def anthropic(api: ModelApi) -> None:
    """Another provider behind the same call."""
    with api.answering("anthropic/message.json"):
        litellm.completion(**_anthropic(api), messages=[{"role": "user", "content": prompts.FIRST_QUESTION}])


def streaming(api: ModelApi) -> None:
    with api.answering("openai/chat.sse"):
        stream = litellm.completion(
            **_openai(api), messages=[{"role": "user", "content": prompts.FIRST_QUESTION}], stream=True
        )
        for _ in stream:
            pass


if __name__ == "__main__":
    record(
        "litellm",
        ("openinference-instrumentation-litellm", "litellm"),
        lambda provider: LiteLLMInstrumentor().instrument(tracer_provider=provider),
        {"conversation": conversation, "tool_result": tool_result, "anthropic": anthropic, "streaming": streaming},
    )
