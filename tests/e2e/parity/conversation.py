"""Conversations read from OpenInference attributes and from messages in OpenAI's shape.

A `Turn` holds what a reader of MLflow sees of a message, so that both readings compare.
"""

import json
import re
from dataclasses import dataclass, replace

from mlflow.types.chat import ChatMessage
from pydantic import ValidationError

ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "ai", "model", "tool-call", "tool_call"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "function", "tool-response", "tool_response"), "tool"),
}
_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


# The gateway makes up ids of calls that have none; any will do.
MADE_UP_ID = re.compile(r"call_\d+_\d+")


@dataclass(frozen=True)
class Call:
    # None: the span has no id.
    id: str | None
    name: str
    arguments: str

    def is_same(self, other: "Call") -> bool:
        """Arguments read out of JSON are written anew, with other spaces."""
        are_same = self.name == other.name and _meant(self.arguments) == _meant(other.arguments)
        return are_same and (self.id is None or other.id is None or self.id == other.id)


@dataclass(frozen=True)
class Turn:
    role: str
    texts: tuple[str, ...] = ()
    # URLs, and sounds as format and base64.
    images: tuple[str, ...] = ()
    sounds: tuple[tuple[str, str], ...] = ()
    thoughts: str = ""
    calls: tuple[Call, ...] = ()
    # The id of the call that a tool's message answers.
    answers: str | None = None
    name: str = ""

    def extended(self, **more: object) -> "Turn":
        """The same with more of something: lists grow, all else is set."""
        return replace(self, **{name: (*getattr(self, name), *each) if isinstance(each, tuple) else each for name, each in more.items()})

    def is_rendered_as(self, rendered: "Turn") -> bool:
        """Whether `rendered` has the same content, with generated ids only where there were none."""
        same = replace(self, calls=(), answers=None) == replace(rendered, calls=(), answers=None)
        are_calls = len(self.calls) == len(rendered.calls) and all(map(Call.is_same, self.calls, rendered.calls))
        return same and are_calls and (self.answers is None or self.answers == rendered.answers)


def input_turns(attributes: dict) -> list[Turn]:
    found = _messages(attributes, "llm.input_messages", "user")
    return found or _texts(attributes, "llm.prompts", "prompt", "user")


def without_empty_turns(turns: list[Turn]) -> list[Turn]:
    """Drops empty messages, except a tool's, which show that there was a result."""
    return [turn for turn in turns if have_content([turn]) or turn.role == "tool"] if have_content(turns) else turns


def output_turns(attributes: dict) -> list[Turn]:
    found = _messages(attributes, "llm.output_messages", "assistant")
    found = found or _texts(attributes, "llm.choices", "completion", "assistant")
    if "llm.function_call" in attributes and not any(turn.calls for turn in found):
        legacy = json.loads(attributes["llm.function_call"])
        call = Call(None, legacy["name"], _text(legacy["arguments"]))
        found = [replace(found[0], calls=(call,)), *found[1:]] if found else [Turn("assistant", calls=(call,))]
    return found


def have_content(turns: list[Turn]) -> bool:
    """Whether a message has content: some instrumentations record roles alone."""
    return any(turn.texts or turn.images or turn.sounds or turn.thoughts or turn.calls for turn in turns)


def with_system_prompt(turns: list[Turn], raw: object) -> list[Turn]:
    """With the system prompt that a raw request keeps beside its messages, unless the messages include one."""
    if not turns or any(turn.role == "system" for turn in turns):
        return turns
    prompt = separate_system_prompt(raw)
    return [Turn("system", (prompt,)), *turns] if prompt else turns


def separate_system_prompt(raw: object) -> str:
    prompt = (raw.get("system") or raw.get("instructions")) if isinstance(raw, dict) else None
    parts = prompt if isinstance(prompt, list) else [prompt]
    return "\n\n".join(filter(None, (part.get("text") if isinstance(part, dict) else part for part in parts)))


def _meant(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def is_rendered_as_messages(turns: list[Turn], messages: object) -> bool:
    """Whether `messages`, in OpenAI's shape, are valid for MLflow and have the same content, turn by turn."""
    rendered = read(messages)
    if rendered is None or len(rendered) != len(turns):
        return False
    called = {call.id for turn in rendered for call in turn.calls}
    # Who answers an unnamed call is given the id of one that there is.
    are_of_calls = all(
        turn.answers is not None or each.answers in {None, *called} or MADE_UP_ID.fullmatch(each.answers)
        for turn, each in zip(turns, rendered)
    )
    return are_of_calls and all(map(Turn.is_rendered_as, turns, rendered))


def read(messages: object) -> list[Turn] | None:
    """`None` when one message is not of the shape that MLflow and its UI take."""
    if not isinstance(messages, list) or not messages:
        return None
    try:
        return [_read(message) for message in messages]
    except (ValidationError, ValueError):
        return None


def _read(message: dict) -> Turn:
    valid = ChatMessage.model_validate(message, strict=True)
    if valid.role not in {"user", "assistant", "system", "tool"}:
        raise ValueError(f"MLflow's UI draws no {valid.role}")
    parts = valid.content if isinstance(valid.content, list) else []
    texts = [valid.content] if isinstance(valid.content, str) else [part.text for part in parts if part.type == "text"]
    sounds = [part.input_audio for part in parts if part.type == "input_audio"]
    calls = [(call.id, call.function.name, call.function.arguments) for call in valid.tool_calls or []]
    if not all(isinstance(value, str) for call in calls for value in call):
        raise ValueError("MLflow's UI draws no call that lacks a name or arguments")
    if any(call.type != "function" for call in valid.tool_calls or []):
        raise ValueError("MLflow's UI draws calls of functions alone")
    return Turn(
        role=valid.role,
        texts=tuple(filter(None, texts)),
        images=tuple(part.image_url.url for part in parts if part.type == "image_url"),
        sounds=tuple((sound.format, sound.data) for sound in sounds),
        thoughts=message.get("reasoning") or "",
        calls=tuple(Call(*call) for call in calls),
        answers=valid.tool_call_id,
        name=message.get("name") or "",
    )


def nested(attributes: dict, family: str) -> list[dict]:
    """A numbered family as objects: `family.0.a.b = 1` is `[{"a": {"b": 1}}]`."""
    if family in attributes and not any(key.startswith(family + ".") for key in attributes):
        attributes = _flattened(attributes[family], family)
    found: dict[int, dict] = {}
    for key, value in attributes.items():
        number, _, path = key.removeprefix(family + ".").partition(".")
        if not key.startswith(family + ".") or not number.isdecimal():
            continue
        *parents, last = path.split(".")
        node = found.setdefault(int(number), {})
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return [found[number] for number in sorted(found)]


_PREFIXES = {"messages": "message", "tools": "tool", "documents": "document", "embeddings": "embedding"}


def _flattened(items: object, family: str) -> dict:
    """An unflattened family as numbered attributes."""
    items = _json(items)
    prefix = _PREFIXES[family.rpartition(".")[2].rpartition("_")[2]]
    found = {}
    for number, item in enumerate(items if isinstance(items, list) else []):
        item = _json(item)
        body = item.get(prefix, item)
        if prefix == "tool" and not any(key.endswith("json_schema") for key in body):
            body = {"json_schema": body}
        for key, value in body.items():
            name = f"{family}.{number}.{prefix}.{key.removeprefix(prefix + '.').replace('page_content', 'content')}"
            if key.endswith("tool_calls"):
                for index, call in enumerate(value):
                    call = call.get("tool_call", call)
                    found[f"{name}.{index}.tool_call.id"] = call["id"]
                    found[f"{name}.{index}.tool_call.function.name"] = call["function"]["name"]
                    found[f"{name}.{index}.tool_call.function.arguments"] = _text(call["function"]["arguments"])
            else:
                found[name] = value
    return found


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _numbered(node: dict, name: str) -> list[dict]:
    """The same below a key of an object that is nested already."""
    return [each for _, each in sorted((int(number), each) for number, each in node.get(name, {}).items())]


def _messages(attributes: dict, family: str, speaker: str) -> list[Turn]:
    return [turn for item in nested(attributes, family) for turn in _turns(item, speaker)]


def _turns(item: dict, speaker: str) -> list[Turn]:
    """A message, or the results of tools that AutoGen has beside an empty one."""
    turn = _message(item.get("message", {}), speaker)
    results = [json.loads(each) for each in item.get("function", {}).values()]
    return [Turn("tool", (each["content"],), answers=each["call_id"], name=each["name"]) for each in results] or [turn]


def _message(node: dict, speaker: str) -> Turn:
    in_parts = [part["message"]["tool_call_id"] for part in _numbered(node, "contents") if "message" in part]
    answers = node.get("tool_call_id") or next(iter(in_parts), None)
    role = node.get("role") or ("tool" if answers else speaker)
    role = ROLES.get(role.strip().rpartition(".")[2].lower(), "user")
    turn = Turn(
        role="tool" if role == "user" and answers else role,
        calls=tuple(_call(each["tool_call"]) for each in _numbered(node, "tool_calls")),
        name=node.get("name") or "",
    )
    if "function_call_name" in node:
        call = Call(None, node["function_call_name"], _text(node.get("function_call_arguments_json")) or "{}")
        turn = replace(turn, calls=(*turn.calls, call))
    for part in _numbered(node, "contents"):
        turn = _with_part(turn, part)
    if "content" in node and not (turn.texts or turn.images or turn.sounds):
        content = node["content"]
        texts = content.values() if isinstance(content, dict) else [_text(content)]
        turn = replace(turn, texts=tuple(filter(None, texts)))
    return replace(turn, answers=answers if turn.role == "tool" else None)


def _with_part(turn: Turn, part: dict) -> Turn:
    if "tool_call" in part:
        call = _call(part["tool_call"])
        return turn if any(call.is_same(each) for each in turn.calls) else replace(turn, calls=(*turn.calls, call))
    content = part["message_content"]
    # Anthropic's JavaScript instrumentation records the kind of an image and not the image.
    if "image" in content and "image" in content["image"]:
        url = content["image"]["image"]["url"]
        return turn.extended(texts=(url,)) if url == "__REDACTED__" else turn.extended(images=(url,))
    if "audio" in content:
        audio = content["audio"]["audio"]
        kind, _, data = audio["url"].removeprefix("data:").rpartition(";base64,")
        kind = kind or audio.get("mime_type", "")
        if data.startswith("http"):
            turn = replace(turn, texts=(*turn.texts, f"[audio: {kind}]({data})"))
        else:
            turn = replace(turn, sounds=(*turn.sounds, (_SOUNDS[kind], data)))
        return replace(turn, texts=(*turn.texts, *filter(None, [audio.get("transcript")])))
    if content.get("type") in {"reasoning", "thinking"}:
        return replace(turn, thoughts="\n\n".join(filter(None, [turn.thoughts, content.get("text")])))
    return replace(turn, texts=(*turn.texts, *filter(None, [_text(content.get("text"))])))


def _call(node: dict) -> Call:
    function = node.get("function", {})
    arguments = _text(function.get("arguments")) or "{}"
    return Call(_text(node.get("id")) or None, function.get("name") or "function", arguments)


def _texts(attributes: dict, family: str, name: str, role: str) -> list[Turn]:
    whole = attributes.get(family)
    texts = whole if isinstance(whole, list) else [each[name]["text"] for each in nested(attributes, family)]
    return [Turn(role, (text,)) for text in texts]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
