"""Where two observations differ."""

from dataclasses import dataclass


class _Absent:
    """Stands for a value that one side does not have, which is not the same as a null."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()

# Below these the whole value is one difference: a rule judges an attribute, not a leaf somewhere inside it.
_WHOLE = {"attributes", "tags", "metadata"}
_WHOLE_FIELDS = {"inputs", "outputs", "token_usage", "cost", "searchable_types"}


@dataclass(frozen=True)
class ValueDifference:
    """`path` from the trace down, such as `("spans", "<span id>", "attributes", "mlflow.llm.cost")`."""

    path: tuple[str, ...]
    raw: object
    translated: object

    def __str__(self) -> str:
        return f"{'/'.join(self.path) or 'the trace'}: raw {_short(self.raw)}, translated {_short(self.translated)}"


def differences(raw: object, translated: object, path: tuple[str, ...] = ()) -> list[ValueDifference]:
    """Every place where the two differ, in a stable order. Types count: `1` is neither `True` nor `1.0`."""
    if isinstance(raw, dict) and isinstance(translated, dict) and not _is_whole(path):
        found: list[ValueDifference] = []
        for key in sorted(raw.keys() | translated.keys()):
            found += differences(raw.get(key, ABSENT), translated.get(key, ABSENT), (*path, key))
        return found
    if isinstance(raw, list) and isinstance(translated, list) and len(raw) == len(translated) and not _is_whole(path):
        found = []
        for index, (left, right) in enumerate(zip(raw, translated, strict=True)):
            found += differences(left, right, (*path, str(index)))
        return found
    return [] if _equal(raw, translated) else [ValueDifference(path, raw, translated)]


def _is_whole(path: tuple[str, ...]) -> bool:
    return bool(path) and (path[-1] in _WHOLE_FIELDS or (len(path) > 1 and path[-2] in _WHOLE))


def _equal(left: object, right: object) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return left == right


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
