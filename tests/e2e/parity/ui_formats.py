"""Which requests and answers MLflow's UI (3.17.2) draws, given `mlflow.message.format`.

A second implementation of the checks that decide whether the translator keeps the raw values.
"""

from collections.abc import Callable

from e2e.parity import conversation

_TEXTS = {"input_text", "output_text"}
_MEDIA = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def format_of(inputs: object, outputs: object) -> str | None:
    """The `mlflow.message.format` of a pair, when one format draws both."""
    if is_openai_request(inputs) and is_openai_answer(outputs):
        return "openai"
    return "anthropic" if _is_anthropic_request(inputs) and _is_anthropic_answer(outputs) else None


def is_openai_request(inputs: object) -> bool:
    if not isinstance(inputs, dict):
        return False
    if inputs.get("messages") is not None:
        return _all(inputs["messages"], _is_message)
    value = inputs.get("input")
    if isinstance(value, str):
        return bool(value)
    return _all(value, _is_message) or _all(value, lambda item: _is_input(item) or _is_item(item))


def is_openai_answer(outputs: object) -> bool:
    if not isinstance(outputs, dict):
        return False
    if outputs.get("choices") is not None:
        return _all(outputs["choices"], lambda choice: _is_message(choice.get("message")))
    items = outputs.get("output")
    return _all(items, _is_item) and any(item["type"] != "reasoning" for item in items)


def _is_message(value: object) -> bool:
    """As MLflow's Python client takes it, with the UI's two further names for text."""
    if not isinstance(value, dict) or value.get("function_call") is not None:
        return False
    content = value.get("content")
    if isinstance(content, list):
        content = [_with_plain_text(part) for part in content]
    return conversation.read([value | {"content": content}]) is not None


def _with_plain_text(part: object) -> object:
    return part | {"type": "text"} if isinstance(part, dict) and part.get("type") in _TEXTS else part


def _is_input(item: dict) -> bool:
    content = item.get("content")

    def is_part(part: dict) -> bool:
        return part.get("type") == "input_text" or (
            part.get("type") == "input_image" and isinstance(part.get("image_url"), str)
        )

    return item.get("role") in {"user", "assistant", "system"} and (isinstance(content, str) or _all(content, is_part))


def _is_item(item: dict) -> bool:
    def has_texts(*keys: str) -> bool:
        return all(isinstance(item.get(key), str) for key in keys)

    match item.get("type"):
        case "message":
            return _is_message(item)
        case "function_call":
            return has_texts("call_id", "name", "arguments")
        case "function_call_output":
            return has_texts("call_id", "output")
        case "reasoning":
            return "id" in item and isinstance(item.get("summary", 0), list | None)
    return False


def _is_anthropic_request(inputs: object) -> bool:
    return isinstance(inputs, dict) and _all(inputs.get("messages"), _is_anthropic_message)


def _is_anthropic_answer(outputs: object) -> bool:
    return isinstance(outputs, dict) and outputs.get("type") == "message" and _is_anthropic_message(outputs)


def _is_anthropic_message(message: dict) -> bool:
    content = message.get("content")
    return message.get("role") in {"user", "assistant"} and (isinstance(content, str) or _all(content, _is_block))


def _is_block(block: dict) -> bool:
    match block:
        case {"type": "tool_use", "id": str(), "name": str(), "input": dict()}:
            return True
        case {"type": "tool_result", "tool_use_id": str(), "content": content}:
            return isinstance(content, str) or content == [] or _all(content, _is_shown)
        case {"type": "thinking", "thinking": str()}:
            return True
    return _is_shown(block)


def _is_shown(block: dict) -> bool:
    match block:
        case {"type": "text", "text": str()} | {"type": "image", "source": {"type": "url", "url": str()}}:
            return True
        case {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": str()}}:
            return media_type in _MEDIA
    return False


def _all(values: object, passes: Callable[[dict], bool]) -> bool:
    """Whether a value is a list of objects that holds some, and all of them pass."""
    return isinstance(values, list) and bool(values) and all(isinstance(each, dict) and passes(each) for each in values)
