"""The rules of parity themselves: a value with one word changed is no improvement that anybody knows."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from e2e.parity import told
from e2e.parity.compare import Difference
from e2e.parity.rules import RULES
from e2e.parity.sides import Sides
from e2e.parity.sighting import Sighting, sightings

# The bridge makes up ids of calls that have none; any will do.
_MADE_UP = re.compile(r"call_\d+_\d+")


@pytest.fixture(scope="module")
def seen(sides: Sides) -> list[Sighting]:
    return list(sightings(sides))


@pytest.mark.parametrize("rule", told.RULES, ids=lambda rule: rule.name)
def test_one_changed_word_is_explained_by_nobody(seen: list[Sighting], rule) -> None:
    explained = [each for each in seen if rule.explains(each)]
    accepted = [
        str(changed)
        for each in explained
        for changed in map(lambda value, each=each: _with_value(each, value), _changed(each.values[1]))
        if any(other.explains(changed) for other in RULES)
    ]
    assert explained and not accepted, "\n".join(accepted[:10])


def _with_value(seen: Sighting, bridged: object) -> Sighting:
    """The bridge had stored another value, as field and as attribute."""
    path, raw = seen.difference.path, seen.difference.raw
    return replace(seen, difference=Difference(path, raw, bridged))


def _changed(value: object) -> Iterator[object]:
    """The value as often as it has words and members, each time with one of them changed."""
    match value:
        case str() if not _MADE_UP.fullmatch(value):
            yield value + "!"
        case list():
            for index, item in enumerate(value):
                yield [*value[:index], *value[index + 1 :]]
                yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed(item))
        case dict():
            for key, item in value.items():
                yield from ({**value, key: changed} for changed in _changed(item))
