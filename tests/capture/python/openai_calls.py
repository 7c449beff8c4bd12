"""Scenarios of OpenAI's client, for instrumentations other than OpenInference's own."""

import openai

from capture.python import prompts
from capture.python.model_api import ModelApi

_MODEL = "gpt-4o-mini"
_TOOLS = [prompts.CHAT_TOOL]


def _client(api: ModelApi) -> openai.OpenAI:
    return openai.OpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)


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
