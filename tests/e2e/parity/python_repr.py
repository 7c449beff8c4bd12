"""Objects as Python prints them, read back with Python's own parser.

What `repr` prints is nearly Python. Enum members, functions and what a writer cut off become literals first; then `ast`
reads it, and messages become turns.
"""

import ast
import json
import re

from e2e.parity.conversation import ROLES, Call, Turn
from e2e.parity.previews import is_printed

__all__ = ["is_printed", "nodes", "query", "read", "without_not_given", "without_printed"]

_NODE = re.compile(r"<NodeWithScore\(node=\w+\(id_=(?P<id>.+)\), score=(?P<score>[\d.]+)\)>")
# What people and models say may look like an object.
_WORDS = {"content", "text", "arguments"}

_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ANGLES = rf"""<(?:{_STRING}|->|<\w+>|[^<>'"])*>"""
# A string, what stands in angle brackets, a bracket, or the space before a field.
_TOKEN = re.compile(rf"(?P<string>{_STRING})|(?P<angles>{_ANGLES})|(?P<bracket>[\[\](){{}}])|(?P<gap> (?=\w+=))|(?P<open>['\"<])", re.DOTALL)
_MEMBER = re.compile(rf"<[\w.]+\.\w+: (?P<value>{_STRING}|-?\d+)>", re.DOTALL)
_OBJECT = re.compile(r"[A-Z]\w*\(\s*\w")
_FIELD = re.compile(r"[a-z_]\w*=('|None )")
# What OpenAI's and Anthropic's clients pass for an argument that the caller left out.
_NOT_GIVEN = re.compile(r"<([\w.]+\.)?(Omit|NotGiven) object at 0x[0-9a-fA-F]+>")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def query(raw: object) -> str | None:
    """LlamaIndex's bundle of a query."""
    return raw["query_bundle"]["query_str"] if isinstance(raw, dict) and set(raw) == {"query_bundle"} else None


def nodes(raw: object) -> list[dict] | None:
    """LlamaIndex's nodes, of which it prints the id and the score."""
    found = [_NODE.fullmatch(each) for each in raw if isinstance(each, str)] if isinstance(raw, list) else []
    if not found or not all(found):
        return None
    return [{"id": each["id"], "score": float(each["score"])} for each in found]


def without_printed(value: object, is_said: bool = False) -> object:
    """A value with what its printed objects say in their place; messages as turns."""
    match value:
        case dict():
            return {key: without_printed(item, key in _WORDS) for key, item in value.items()}
        case list():
            return [without_printed(item) for item in value]
        case str() if not is_said and (_OBJECT.match(value) or _FIELD.match(value)):
            return read(value)
    return value


def without_not_given(value: object) -> object:
    """A value without the entries that only say that an argument was not given."""
    if not isinstance(value, dict):
        return value
    return {key: without_not_given(item) for key, item in value.items() if not _is_not_given(item)}


def _is_not_given(value: object) -> bool:
    return isinstance(value, str) and _NOT_GIVEN.fullmatch(value) is not None


def read(text: str) -> object:
    """What a printed object says; the text itself where it is not understood."""
    try:
        tree = ast.parse(_as_python(text), mode="eval")
    except (SyntaxError, ValueError):
        return text
    return _value(tree.body)


def _as_python(text: str) -> str:
    is_cut = text.endswith("...")
    text = text.removesuffix("...")
    is_bare = _FIELD.match(text) is not None
    opened: list[str] = []
    out, at = "", 0
    for token in _TOKEN.finditer(text):
        out += text[at : token.start()]
        at = token.end()
        if token["angles"]:
            member = _MEMBER.fullmatch(token[0])
            out += member["value"] if member else repr(token[0])
        elif token["open"]:
            # Cut within a string, or within what stands in angle brackets.
            rest = text[token.start() :]
            out += repr(rest + "…") if token[0] == "<" else rest + "…" + token[0]
            at = len(text)
            break
        elif token["gap"]:
            out += "," if is_bare and not opened else " "
        else:
            out += token[0]
        if token["bracket"] in _CLOSING:
            opened.append(_CLOSING[token[0]])
        elif token["bracket"] and opened:
            opened.pop()
    out += text[at:]
    if is_cut:
        # A name without its value says nothing, a value of which nothing is left is unknown.
        out = re.sub(r"([,(])\s*\w*$", r"\1", out)
        out = re.sub(r"([=:])\s*$", r"\1 None", out)
        out += "".join(reversed(opened))
    return f"_({out})" if is_bare else out


def _value(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=bytes() | complex()):
            return ast.unparse(node)
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=number)):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            found = {str(_value(key)): _value(value) for key, value in zip(keys, values, strict=True) if key}
            return _message(found) or found
        case ast.Call(args=[], keywords=fields):
            found = {(each.arg or "").lstrip("_") or each.arg: _value(each.value) for each in fields}
            name = ast.unparse(node.func).rpartition(".")[2]
            return _message(found) or ({"type": name} if name != "_" and "type" not in found else {}) | found
    return ast.unparse(node)


def _message(found: dict) -> Turn | None:
    """An object with a speaker and something to say: Haystack's, LlamaIndex's, Mistral's and AutoGen's."""
    speaker = found.get("role", found.get("source"))
    if not isinstance(speaker, str) or not found.keys() & {"content", "blocks", "tool_calls"}:
        return None
    if speaker.lower() not in ROLES and "source" not in found:
        return None
    said = next((found[name] for name in ("content", "blocks") if found.get(name) is not None), [])
    turn, results = Turn(ROLES.get(speaker.lower(), "assistant")), []
    for block in said if isinstance(said, list) else [said]:
        if isinstance(block, str):
            turn = turn.extended(texts=(block,) if block else ())
        elif "origin" in block:
            call = block["origin"]
            results.append(Turn("tool", (block["result"],), answers=call["id"], name=call["tool_name"]))
        elif "tool_name" in block:
            turn = turn.extended(calls=(_call(block),))
        else:
            turn = turn.extended(texts=(block["text"],))
    turn = turn.extended(calls=tuple(map(_call, found.get("tool_calls") or [])))
    if turn.role == "tool":
        turn = turn.extended(answers=found.get("tool_call_id"), name=found.get("name") or "")
    turns = [*results, *([turn] if turn != Turn(turn.role) else [])]
    return turns[0] if len(turns) == 1 else None


def _call(block: dict) -> Call:
    function = block.get("function", block)
    name = function.get("name") or function["tool_name"]
    given = next(function[key] for key in ("arguments", "tool_kwargs") if key in function)
    return Call(block.get("id") or block.get("tool_call_id"), name, given if isinstance(given, str) else json.dumps(given))
