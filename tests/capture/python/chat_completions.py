"""Scenarios of OpenAI's client, and of clients with the same methods, for instrumentations other than OpenInference's own."""

from collections.abc import Callable
from typing import Any

from capture.python import prompts
from capture.python.model_api import ModelApi

_TOOLS = [prompts.CHAT_TOOL]

Scenario = Callable[[ModelApi], None]


def scenarios(client: Callable[..., Any], model: str) -> dict[str, Scenario]:
    """`client` is the class of the client."""

    def connect(api: ModelApi) -> Any:
        return client(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)

    def conversation(api: ModelApi) -> None:
        with api.answering("openai/chat.json"):
            connect(api).chat.completions.create(model=model, messages=prompts.CHAT_DIALOGUE, temperature=0.2)

    def tool_result(api: ModelApi) -> None:
        completions, asked = connect(api).chat.completions, [{"role": "user", "content": prompts.WEATHER_QUESTION}]
        with api.answering("openai/tool_call.json", "openai/tool_result.json"):
            first = completions.create(model=model, messages=asked, tools=_TOOLS)
            call = first.choices[0].message.tool_calls[0]
            answers = [
                {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
                {"role": "tool", "tool_call_id": call.id, "content": prompts.WEATHER},
            ]
            completions.create(model=model, messages=[*asked, *answers], tools=_TOOLS)

    return {"conversation": conversation, "tool_result": tool_result}
