"""Answers of OpenAI's chat API whose words a framework dictates."""

import json

from capture.python.model_api import Answer, from_file


def saying(text: str) -> Answer:
    body = json.loads(from_file("openai/chat.json").body)
    body["choices"][0]["message"]["content"] = text
    return Answer(json.dumps(body).encode())


def calling(call_id: str, tool: str, arguments: dict) -> Answer:
    body = json.loads(from_file("openai/tool_call.json").body)
    function = {"name": tool, "arguments": json.dumps(arguments)}
    body["choices"][0]["message"]["tool_calls"] = [{"id": call_id, "type": "function", "function": function}]
    return Answer(json.dumps(body).encode())
