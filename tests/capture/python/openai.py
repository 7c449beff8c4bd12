"""Captures more of `openinference-instrumentation-openai` than `capture.openai_python`: `py_openai_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "gpt-4o-mini"
_FUNCTION = {"name": prompts.TOOL, "description": prompts.TOOL_DESCRIPTION, "parameters": prompts.TOOL_SCHEMA}
_CHAT_TOOLS = [{"type": "function", "function": _FUNCTION}]
_RESPONSES_TOOLS = [{"type": "function", "strict": False, **_FUNCTION}]
_IMAGE_URL = f"data:image/png;base64,{prompts.PNG_BASE64}"


def _client(api: ModelApi) -> openai.OpenAI:
    return openai.OpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


def conversation(api: ModelApi) -> None:
    """The system message in the role that newer models call it by."""
    with api.answering("openai/chat.json"):
        _client(api).chat.completions.create(
            model=_MODEL,
            messages=[
                {"role": "developer", "content": prompts.SYSTEM},
                {"role": "user", "content": prompts.FIRST_QUESTION},
                {"role": "assistant", "content": prompts.FIRST_ANSWER},
                {"role": "user", "content": prompts.SECOND_QUESTION},
            ],
        )


def parallel_tools(api: ModelApi) -> None:
    client = _client(api)
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/tool_calls.json", "openai/tool_result.json"):
        first = client.chat.completions.create(model=_MODEL, messages=messages, tools=_CHAT_TOOLS)
        reply = first.choices[0].message
        messages.append(reply)
        messages += [{"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER} for call in reply.tool_calls]
        client.chat.completions.create(model=_MODEL, messages=messages, tools=_CHAT_TOOLS)


def streamed_tool_call(api: ModelApi) -> None:
    with api.answering("openai/tool_call.sse"):
        stream = _client(api).chat.completions.create(
            model=_MODEL,
            messages=[{"role": "user", "content": prompts.WEATHER_QUESTION}],
            tools=_CHAT_TOOLS,
            stream=True,
            stream_options={"include_usage": True},
        )
        for _ in stream:
            pass


def completions(api: ModelApi) -> None:
    """The API before chat, two prompts at once."""
    prompts = ["The capital of France is", "The capital of Italy is"]
    with api.answering("openai/completion.json"):
        _client(api).completions.create(model="gpt-3.5-turbo-instruct", prompt=prompts, max_tokens=16)


def function_call(api: ModelApi) -> None:
    """Functions as they were before tools."""
    client = _client(api)
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/function_call.json", "openai/tool_result.json"):
        first = client.chat.completions.create(model=_MODEL, messages=messages, functions=[_FUNCTION])
        messages.append(first.choices[0].message.model_dump(exclude_none=True))
        messages.append({"role": "function", "name": prompts.TOOL, "content": prompts.WEATHER})
        client.chat.completions.create(model=_MODEL, messages=messages, functions=[_FUNCTION])


def image(api: ModelApi) -> None:
    parts = [
        {"type": "text", "text": prompts.IMAGE_QUESTION},
        {"type": "image_url", "image_url": {"url": _IMAGE_URL, "detail": "low"}},
    ]
    with api.answering("openai/image.json"):
        _client(api).chat.completions.create(model=_MODEL, messages=[{"role": "user", "content": parts}])


def responses_conversation(api: ModelApi) -> None:
    with api.answering("openai/response.json"):
        _client(api).responses.create(
            model=_MODEL,
            instructions=prompts.SYSTEM,
            input=[
                {"role": "user", "content": prompts.FIRST_QUESTION},
                {"role": "assistant", "content": prompts.FIRST_ANSWER},
                {"role": "user", "content": [{"type": "input_text", "text": prompts.SECOND_QUESTION}]},
            ],
        )


def responses_tool_result(api: ModelApi) -> None:
    """The model reasons, calls a tool and gets its result."""
    client = _client(api)
    asked_items: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("openai/response_tool_call.json", "openai/response_tool_result.json"):
        first = client.responses.create(model=_MODEL, input=asked_items, tools=_RESPONSES_TOOLS)
        asked_items += [item.model_dump(exclude_none=True) for item in first.output]
        asked_items.append({"type": "function_call_output", "call_id": "call_1", "output": prompts.WEATHER})
        client.responses.create(model=_MODEL, input=asked_items, tools=_RESPONSES_TOOLS)


def responses_image(api: ModelApi) -> None:
    parts = [
        {"type": "input_text", "text": prompts.IMAGE_QUESTION},
        {"type": "input_image", "image_url": _IMAGE_URL, "detail": "low"},
    ]
    with api.answering("openai/response_image.json"):
        _client(api).responses.create(model=_MODEL, input=[{"role": "user", "content": parts}])


def responses_streaming(api: ModelApi) -> None:
    with api.answering("openai/response.sse"):
        for _ in _client(api).responses.create(model=_MODEL, input=prompts.FIRST_QUESTION, stream=True):
            pass


if __name__ == "__main__":
    record(
        "openai",
        ("openinference-instrumentation-openai", "openai"),
        lambda provider: OpenAIInstrumentor().instrument(tracer_provider=provider),
        {
            "conversation": conversation,
            "parallel_tools": parallel_tools,
            "streamed_tool_call": streamed_tool_call,
            "completions": completions,
            "function_call": function_call,
            "image": image,
            "responses_conversation": responses_conversation,
            "responses_tool_result": responses_tool_result,
            "responses_image": responses_image,
            "responses_streaming": responses_streaming,
        },
    )
