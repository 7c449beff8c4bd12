"""What the list of traces shows, worked out a second time: MLflow's own derivation, and where that reads badly, text.

Badly read an answer as raw JSON although it says something, JSON that was cut, and objects as Python prints them. The quotes
and braces around other texts go when the server has time for a request more, and then the trace is marked.
"""

import json
import re
from dataclasses import dataclass

from mlflow.tracing.utils.truncation import _get_truncated_preview

from e2e.parity import expected

_MAX = 1000
_SIDES = {"inputs": "user", "outputs": "assistant"}
# Keys of the one text that matters.
_NAMES = {
    "inputs": ("input", "question", "query", "prompt", "task", "message", "text", "content"),
    "outputs": ("output", "answer", "response", "result", "raw", "text", "content"),
}
_PRINTED = re.compile(r"<?[A-Z]\w*\((\*, |\w+=)", re.ASCII)
# How MLflow marks a trace whose info was sent.
FINALIZED = "mlflow.trace.infoFinalized"
_CLASS = re.compile(r"(human|ai|system|tool|function)(Message)?(Chunk)?", re.IGNORECASE)
_SPEAKERS = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system", "function": "tool"}


@dataclass(frozen=True)
class Previews:
    inputs: str | None
    outputs: str | None
    # Whether MLflow derives others, or none.
    is_rendered_as_messages: bool


def of_trace(trace: dict) -> Previews | None:
    """Of the outermost OpenInference span, and where that says nothing to a reader, of the calls to models below it."""
    outermost_span = expected.outermost_span(trace)
    if outermost_span is None:
        return None
    roots = expected.roots(trace)
    derived = {side: expected.preview(outermost_span[side], role) for side, role in _SIDES.items()}
    found = {side: _text(outermost_span[side], side) for side in _SIDES}
    printed = {side: found[side] is None and is_printed(outermost_span[side]) for side in _SIDES}
    is_in_json = any(found[side] and _shortened(found[side]) != derived[side] for side in _SIDES)
    preview_improved = is_in_json and trace["info"]["metadata"].get(FINALIZED) == "true"
    request_needed = preview_improved or any(found[side] and _reads_badly(outermost_span[side], side) for side in _SIDES)
    summary_texts = _summary_texts(trace)
    shown = {
        side: (printed[side] and summary_texts[side]) or (request_needed and found[side] and _shortened(found[side])) or derived[side]
        for side in _SIDES
    }
    summary_used = any(printed[side] and summary_texts[side] for side in _SIDES)
    return Previews(**shown, is_rendered_as_messages=request_needed or summary_used or roots != [outermost_span])


def conversation_summary(trace: dict, above: dict | None = None) -> dict[str, object]:
    """What a span without values shows: the first request and the last answer of the calls to models, or of those below it."""
    summary_texts = _summary_texts(trace, above, limit=8000)
    found: dict[str, object] = {}
    if summary_texts["inputs"]:
        found["inputs"] = {"messages": [{"role": "user", "content": summary_texts["inputs"]}]}
    if summary_texts["outputs"]:
        message = {"role": "assistant", "content": summary_texts["outputs"]}
        found["outputs"] = {"choices": [{"index": 0, "message": message}]}
    return found


def _summary_texts(trace: dict, above: dict | None = None, limit: int = 0) -> dict[str, str | None]:
    def is_counted(span: dict) -> bool:
        is_call = expected.is_openinference(span) and expected.span_type(span["attributes"]) in {"LLM", "CHAT_MODEL"}
        return is_call and (above is None or any(each is above for each in expected.ancestors(span, trace["spans"])))

    calls = [(span["start_ns"], span_id, span) for span_id, span in trace["spans"].items() if is_counted(span)]
    in_order = [span for *_, span in sorted(calls, key=lambda call: call[:2])]
    first = (_text(span["inputs"], "inputs") for span in in_order)
    answers = (_text(span["outputs"], "outputs") for span in reversed(in_order))
    cut = (lambda text: text[:limit]) if limit else _shortened
    return {
        "inputs": next((cut(text) for text in first if text), None),
        "outputs": next((cut(text) for text in answers if text), None),
    }


def _reads_badly(value: object, side: str) -> bool:
    if isinstance(value, str) or _spoken(value, side):
        return False
    is_cut = len(json.dumps(value, ensure_ascii=False)) > _MAX
    is_nameless = bool(_conversation(value, side)) or _named(value, side, 3) is None and bool(_within(value, side, 2))
    return is_cut or is_printed(value) or side == "outputs" and is_nameless


def _text(value: object, side: str, depth: int = 3) -> str | None:
    if isinstance(value, str):
        return value if value.strip() and not is_printed(value) else None
    found = _spoken(value, side) or _conversation(value, side)
    return found or (_named(value, side, depth) or _within(value, side, depth - 1) if depth else None)


def _named(value: object, side: str, depth: int) -> str | None:
    if not isinstance(value, dict):
        return None
    named = (value[name] for name in _NAMES[side] if isinstance(value.get(name), str | dict | list))
    return next(filter(None, (_text(each, side, depth - 1) for each in named)), None)


def _within(value: object, side: str, depth: int) -> str | None:
    """A pipeline has its messages under the names of its components."""
    if not isinstance(value, dict) or not depth:
        return None
    found = (_conversation(each, side) or _within(each, side, depth - 1) for each in value.values())
    return next(filter(None, found), None)


def _spoken(value: object, side: str) -> str | None:
    """What MLflow derives."""
    if not isinstance(value, dict):
        return None
    text = json.dumps(value, ensure_ascii=False)
    found = _get_truncated_preview(text, _SIDES[side])
    return None if text.startswith(found.removesuffix("...")) else found


def _strings(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for each in value for text in _strings(each)]
        case dict():
            return [text for each in value.values() for text in _strings(each)]
    return []


def _conversation(value: object, side: str) -> str | None:
    messages = _messages(value)
    turns = [turn for turn in map(_turn, messages) if turn]
    mine = [(content, body) for role, content, body in turns if role == _SIDES[side]]
    words = next(filter(None, (_words(content) for content, _ in reversed(mine))), None)
    if words or side == "inputs":
        return words
    bodies = [mine[-1][1]] if mine else ([] if turns else messages)
    return ", ".join(call for body in bodies for call in _calls(body)) or None


def _messages(value: object) -> list:
    if isinstance(value, list):
        is_nested = bool(value) and isinstance(value[0], list) and _turn(value[0]) is None
        return [each for item in value for each in (item if isinstance(item, list) else [])] if is_nested else value
    if not isinstance(value, dict) or "role" in value:
        return [value] if isinstance(value, dict) else []
    if "choices" in value:
        return [each["message"] for each in value["choices"] or [] if isinstance(each, dict) and "message" in each]
    lists = (value[key] for key in ("messages", "input", "output") if isinstance(value.get(key), list))
    return next(map(_messages, lists), [])


def _turn(message: object) -> tuple[str, object, object] | None:
    if isinstance(message, list):
        is_pair = len(message) == 2 and all(isinstance(each, str) for each in message)
        return (_SPEAKERS.get(message[0], message[0]), message[1], message[1]) if is_pair else None
    if not isinstance(message, dict):
        return None
    if isinstance(message.get("role"), str):
        return _SPEAKERS.get(message["role"], message["role"]), message.get("content", message.get("parts")), message
    name, body = message.get("type"), message.get("data", message)
    if name == "constructor":
        name, body = message["id"][-1], message["kwargs"]
    known = _CLASS.fullmatch(name) if isinstance(name, str) else None
    if known is None:
        return None
    return _SPEAKERS.get(known[1].lower(), known[1].lower()), body.get("content"), body


def _words(content: object) -> str | None:
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def _calls(body: object) -> list[str]:
    if not isinstance(body, dict):
        return []
    found = list(body.get("tool_calls") or [])
    found += [each for each in body.get("content") or [] if isinstance(each, dict)]
    found += [body["function_call"]] if body.get("function_call") else []
    found += [body] if body.get("type") == "function_call" else []
    return [call for each in found if (call := _call(each.get("function", each)))]


def _call(function: dict) -> str | None:
    given = next((function[key] for key in ("arguments", "args", "input") if function.get(key) is not None), None)
    if given is None or "name" not in function:
        return None
    return f"{function['name']}({given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)})"


def is_printed(value: object) -> bool:
    return any(_PRINTED.match(text) for text in _strings(value))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX else text[: _MAX - 3] + "..."
