"""What the mock model API answers. Data, and the little that depends on the question.

Tests read the constants: what an application received is what MLflow must show.
"""

import base64
import json
import struct

CREATED = 1_750_000_000

CHAT_TEXT = "Paris is the capital of France."
CHAT_USAGE = {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29}

STREAM_PIECES = ("One", ", two", ", three.")
STREAM_USAGE = {"prompt_tokens": 12, "completion_tokens": 6, "total_tokens": 18}

TOOL_NAME = "get_weather"
TOOL_CALL_ID = "call_weather_1"
TOOL_ARGUMENTS = {"city": "Lisbon", "unit": "celsius"}
TOOL_USAGE = {"prompt_tokens": 64, "completion_tokens": 17, "total_tokens": 81}
TOOL_FINAL_TEXT = "It is 21 °C and sunny in Lisbon."
TOOL_FINAL_USAGE = {"prompt_tokens": 95, "completion_tokens": 12, "total_tokens": 107}

EMBEDDING_DIMENSION = 4
EMBEDDING_TOKENS_PER_TEXT = 5

RESPONSE_TEXT = "A span is one timed operation of a trace."
RESPONSE_USAGE = {"input_tokens": 15, "output_tokens": 11, "total_tokens": 26}

# A model of this name is refused with this status, as the API itself words it.
REFUSED_MODELS = {
    "no-such-model": (404, "invalid_request_error", "model_not_found", "The model `no-such-model` does not exist."),
    "overloaded-model": (500, "server_error", "server_error", "The server had an error while processing your request."),
}


def refusal(asked: dict) -> tuple[int, dict] | None:
    found = REFUSED_MODELS.get(asked.get("model", ""))
    if found is None:
        return None
    status, kind, code, message = found
    return status, error(kind, code, message)


def error(kind: str, code: str, message: str) -> dict:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def chat(asked: dict) -> dict:
    """The model asks for a tool when it has one and no tool has answered yet; otherwise it talks."""
    answered = any(message["role"] == "tool" for message in asked["messages"])
    if answered:
        return _completion(asked, {"role": "assistant", "content": TOOL_FINAL_TEXT}, "stop", TOOL_FINAL_USAGE)
    if asked.get("tools"):
        call = {
            "id": TOOL_CALL_ID,
            "type": "function",
            "function": {"name": TOOL_NAME, "arguments": json.dumps(TOOL_ARGUMENTS)},
        }
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return _completion(asked, message, "tool_calls", TOOL_USAGE)
    return _completion(asked, {"role": "assistant", "content": CHAT_TEXT}, "stop", CHAT_USAGE)


def chat_chunks(asked: dict) -> list[dict]:
    deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in STREAM_PIECES)]
    chunks = [_chunk(asked, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk(asked, [{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    if (asked.get("stream_options") or {}).get("include_usage"):
        chunks.append(_chunk(asked, []) | {"usage": STREAM_USAGE})
    return chunks


def embeddings(asked: dict) -> dict:
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    tokens = EMBEDDING_TOKENS_PER_TEXT * len(texts)
    return {
        "object": "list",
        "model": asked["model"],
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(index, asked.get("encoding_format"))}
            for index in range(len(texts))
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def response(asked: dict) -> dict:
    message = {
        "id": "msg_fixed",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": RESPONSE_TEXT, "annotations": []}],
    }
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_fixed",
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": asked["model"],
        "output": [message],
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": RESPONSE_USAGE | details,
    }


def _completion(asked: dict, message: dict, finish_reason: str, usage: dict) -> dict:
    return {
        "id": "chatcmpl-fixed",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": usage,
    }


def _chunk(asked: dict, choices: list[dict]) -> dict:
    return {
        "id": "chatcmpl-fixed",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": asked["model"],
        "choices": choices,
    }


def _vector(index: int, encoding: str | None) -> list[float] | str:
    # Halves and quarters are exact in both widths, so that a read-back compares equal.
    numbers = [index + part / 4 for part in range(EMBEDDING_DIMENSION)]
    if encoding == "base64":
        return base64.b64encode(struct.pack(f"<{EMBEDDING_DIMENSION}f", *numbers)).decode()
    return numbers
