"""Captures `openinference-instrumentation-anthropic`: `py_anthropic_<scenario>.pb`."""

from capture.python.recorder import record  # isort: skip

import anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi, refusing

_MODEL = "claude-sonnet-5-5"
_TOOLS = [{"name": prompts.TOOL, "description": prompts.TOOL_DESCRIPTION, "input_schema": prompts.TOOL_SCHEMA}]


def _client(api: ModelApi) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="not-a-real-key", base_url=api.uri, max_retries=0)


def conversation(api: ModelApi) -> None:
    with api.answering("anthropic/message.json"):
        _client(api).messages.create(
            model=_MODEL,
            max_tokens=256,
            system=prompts.SYSTEM,
            messages=[
                {"role": "user", "content": prompts.FIRST_QUESTION},
                {"role": "assistant", "content": prompts.FIRST_ANSWER},
                {"role": "user", "content": [{"type": "text", "text": prompts.SECOND_QUESTION}]},
            ],
        )


def tool_result(api: ModelApi) -> None:
    """The model asks for two tools at once; both answer, one of them with an error."""
    client = _client(api)
    messages: list = [{"role": "user", "content": prompts.WEATHER_QUESTION}]
    with api.answering("anthropic/tool_use.json", "anthropic/tool_result.json"):
        first = client.messages.create(model=_MODEL, max_tokens=256, messages=messages, tools=_TOOLS)
        calls = [block for block in first.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": calls[0].id, "content": prompts.WEATHER},
            {
                "type": "tool_result",
                "tool_use_id": calls[1].id,
                "is_error": True,
                "content": [{"type": "text", "text": "no station there"}],
            },
        ]
        messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
        client.messages.create(model=_MODEL, max_tokens=256, messages=messages, tools=_TOOLS)


def streaming(api: ModelApi) -> None:
    with (
        api.answering("anthropic/tool_use.sse"),
        _client(api).messages.stream(
            model=_MODEL,
            max_tokens=256,
            system=[{"type": "text", "text": prompts.SYSTEM}],
            messages=[{"role": "user", "content": prompts.WEATHER_QUESTION}],
            tools=_TOOLS,
        ) as stream,
    ):
        stream.until_done()


def thinking(api: ModelApi) -> None:
    with api.answering("anthropic/thinking.json"):
        _client(api).messages.create(
            model=_MODEL,
            max_tokens=2048,
            thinking={"type": "enabled", "budget_tokens": 1024},
            messages=[{"role": "user", "content": "On which ocean does Lisbon lie?"}],
        )


def image(api: ModelApi) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": prompts.PNG_BASE64}
    content = [{"type": "image", "source": source}, {"type": "text", "text": prompts.IMAGE_QUESTION}]
    with api.answering("anthropic/image.json"):
        _client(api).messages.create(model=_MODEL, max_tokens=256, messages=[{"role": "user", "content": content}])


def error(api: ModelApi) -> None:
    with api.answering(refusing("anthropic/overloaded.json", 529)):
        try:
            _client(api).messages.create(
                model=_MODEL, max_tokens=256, messages=[{"role": "user", "content": prompts.FIRST_QUESTION}]
            )
        except anthropic.APIStatusError:
            return
    raise SystemExit("the model API should have refused")


if __name__ == "__main__":
    record(
        "anthropic",
        ("openinference-instrumentation-anthropic", "anthropic"),
        lambda provider: AnthropicInstrumentor().instrument(tracer_provider=provider),
        {
            "conversation": conversation,
            "tool_result": tool_result,
            "streaming": streaming,
            "thinking": thinking,
            "image": image,
            "error": error,
        },
    )
