"""Reads messages from raw values of LangChain, Bedrock, Anthropic, Gemini, OpenAI and OpenTelemetry's GenAI.

Instrumentations lose parts of messages that the raw value still has. The raw value wins when it contains everything
that the attributes contain, and more.
"""

import json

from e2e.parity.conversation import ROLES, Call, Turn, is_rendered_as_messages

_PLACES = (
    "messages",
    "choices",
    "generations",
    "candidates",
    "contents",
    "message",
    "content",
    "output",
    "input",
    "kwargs",
)
_ITEMS = {
    "function_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "function_call_result": "tool",
}
_LANGCHAIN = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
_CALLS = {"tool_call", "tool_use", "toolUse", "tool-call", "function_call", "functionCall"}
_RESULTS = {"tool_call_response", "tool_result", "toolResult", "tool-result", "function_response", "functionResponse"} | {
    "function_call_output",
    "function_call_result",
}
_IDS = ("call_id", "callId", "tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "id")


def messages(raw: object, speaker: str) -> list[Turn]:
    if isinstance(raw, Turn):
        return [raw]
    if (turn := _message(raw, speaker)) is not None:
        return turn
    if isinstance(raw, list):
        return [turn for each in raw for turn in messages(each, speaker)]
    held = [raw[place] for place in _PLACES if isinstance(raw.get(place), (dict, list))] if isinstance(raw, dict) else []
    return next((found for each in held if (found := messages(each, speaker))), [])


def answers(raw: object) -> list[Turn]:
    """The state of a graph is no answer, and what tools found is none either."""
    found = messages(raw, "assistant")
    is_state = any(turn.role in {"user", "system"} for turn in found)
    return [] if is_state else [turn for turn in found if turn.role != "tool"]


def more_complete(attribute_turns: list[Turn], raw: list[Turn]) -> list[Turn]:
    has_system = any(turn.role == "system" for turn in raw)
    system = [turn for turn in attribute_turns if turn.role == "system" and not has_system]
    pieces, raw_pieces = _pieces([turn for turn in attribute_turns if turn not in system]), _pieces(raw)
    # An instrumentation may report reasoning as text.
    is_all = all(piece in raw_pieces or ("thought", piece[1]) in raw_pieces for piece in pieces)
    return [*system, *raw] if is_all and raw_pieces - pieces else attribute_turns


def is_plain(raw: object, shown: object) -> bool:
    """Whether a value's LangChain messages, and turns, are rendered as OpenAI's and everything around them is unchanged."""
    if isinstance(raw, Turn):
        return is_rendered_as_messages([raw], [shown])
    if (found := langchain(raw)) is not None:
        return is_rendered_as_messages(found, [shown])
    if isinstance(raw, dict) and raw.get("type") == "constructor" and "kwargs" in raw:
        return is_plain(raw["kwargs"], shown)
    match raw, shown:
        case list(), list():
            return len(raw) == len(shown) and all(map(is_plain, raw, shown))
        case dict(), dict():
            return list(raw) == list(shown) and all(is_plain(raw[key], shown[key]) for key in raw)
    return raw == shown


def langchain(raw: object) -> list[Turn] | None:
    is_message = isinstance(raw, dict) and "role" not in raw and "additional_kwargs" in (raw.get("kwargs") or raw.get("data") or raw)
    found = _message(raw, "user") if is_message else None
    return found or None


def _pieces(turns: list[Turn]) -> set[tuple]:
    pieces = set()
    for turn in turns:
        pieces |= {("text", text) for text in turn.texts} | {("thought", turn.thoughts)}
        pieces |= {("image", url) for url in turn.images} | {("sound", data) for _, data in turn.sounds}
        pieces |= {("call", call.name + call.arguments) for call in turn.calls}
        pieces |= {("id", call.id) for call in turn.calls if call.id}
    return {(kind, "".join(text.split())) for kind, text in pieces if text.strip()}


def _message(raw: object, speaker: str) -> list[Turn] | None:
    if isinstance(raw, list):
        is_pair = len(raw) == 2 and all(isinstance(each, str) for each in raw) and raw[0].lower() in ROLES
        return [Turn(ROLES[raw[0].lower()], (raw[1],))] if is_pair else None
    if not isinstance(raw, dict):
        return None
    if "role" in raw:
        return _read(ROLES.get(raw["role"].lower(), "user"), raw)
    kind = raw.get("type")
    if kind in _ITEMS:
        return _read(_ITEMS[kind], {"content": [raw]})
    if kind == "constructor":
        role = _LANGCHAIN.get(raw["id"][-1].removesuffix("Chunk").removesuffix("Message").lower())
        return _read(role, raw["kwargs"]) if role else None
    role = _LANGCHAIN.get(str(kind).removesuffix("Chunk").removesuffix("Message").lower())
    if role:
        return _read(role, raw.get("data") or raw)
    if kind is None and isinstance(raw.get("toolCalls"), list):
        # The result of a call through the AI SDK.
        return _read(speaker, {"content": raw.get("text"), "tool_calls": raw["toolCalls"]})
    return _read(speaker, raw) if kind is None and isinstance(raw.get("parts") or raw.get("tool_calls"), list) else None


def _read(role: str, body: dict) -> list[Turn]:
    content = body.get("content") if body.get("content") is not None else body.get("parts")
    turn, results = _with_blocks(Turn(role), content)
    legacy = [body["function_call"]] if body.get("function_call") else []
    for call in map(_call, [*(body.get("tool_calls") or []), *legacy]):
        if not any(call.is_same(each) for each in turn.calls):
            turn = turn.extended(calls=(call,))
    if role == "tool":
        turn = turn.extended(answers=body.get("tool_call_id"), name=body.get("name") or "")
    return [*results, *([turn] if turn != Turn(role) else [])]


def _with_blocks(turn: Turn, content: object) -> tuple[Turn, list[Turn]]:
    results = []
    for block in content if isinstance(content, list) else [content]:
        if isinstance(block, str):
            turn = turn.extended(texts=(block,) if block else ())
        if not isinstance(block, dict) or not block:
            continue
        kind = block["type"] if "type" in block else next(iter(block))
        body = block if "type" in block else block[kind]
        if kind in {"text", "input_text", "output_text"}:
            text = body if isinstance(body, str) else body.get("text", body.get("content"))
            turn = turn.extended(texts=(text,) if text else ())
        elif kind in _CALLS:
            turn = turn.extended(calls=(_call(body),))
        elif kind in _RESULTS:
            results.append(_result(body))
        elif kind in {"reasoning", "thinking"}:
            thought = body.get("thinking") or body.get("text") or body.get("content") or body.get("summary") or ""
            parts = [thought] if isinstance(thought, str) else [part["text"] for part in thought]
            turn = turn.extended(thoughts="\n\n".join(parts))
        elif url := _picture(kind, body):
            turn = turn.extended(images=(url,))
        else:
            turn = turn.extended(texts=("[image]" if kind in {"image", "image_url", "file"} else json.dumps(body),))
    return turn, results


def _result(body: dict) -> Turn:
    found = body.get("content", body.get("output"))
    if found is None:
        value = body.get("response", body.get("result"))
        found = value if isinstance(value, str) else json.dumps(value)
    turn, _ = _with_blocks(Turn("tool"), found)
    return turn.extended(answers=_id(body), name=body.get("name") or "")


def _id(body: dict) -> str | None:
    return next((body[name] for name in _IDS if body.get(name)), None)


def _call(body: dict) -> Call:
    function = body["function"] if isinstance(body.get("function"), dict) else body
    given = next((function[name] for name in ("arguments", "args", "input") if function.get(name) is not None), "{}")
    name = next(function[key] for key in ("name", "toolName", "tool_name") if key in function)
    return Call(_id(body), name, given if isinstance(given, str) else json.dumps(given))


def _picture(kind: str, body: dict) -> str | None:
    match kind, body:
        case "image_url", {"image_url": {"url": str(url)}}:
            return url
        case "input_image", {"image_url": str(url)}:
            return url
        case "image", {"source": {"type": "base64", "media_type": media, "data": data}}:
            return f"data:{media};base64,{data}"
        case "blob", {"modality": "image", "mime_type": media, "content": data}:
            return f"data:{media};base64,{data}"
        case "uri", {"modality": "image", "uri": str(url)}:
            return url
        case "inline_data", {"mime_type": media, "data": data}:
            return f"data:{media};base64,{data}"
    return None
