"""The rules of parity themselves: a value with one word changed is no improvement that anybody knows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from e2e.parity import span_rules
from e2e.parity.compare import ValueDifference
from e2e.parity.conversation import MADE_UP_ID
from e2e.parity.rules import RULES
from e2e.parity.stored_copies import StoredCopies
from e2e.parity.difference import Difference, trace_differences


@pytest.fixture(scope="module")
def seen(sides: StoredCopies) -> list[Difference]:
    return list(trace_differences(sides))


@pytest.mark.parametrize("rule", span_rules.RULES, ids=lambda rule: rule.name)
def test_one_changed_word_is_explained_by_no_rule(seen: list[Difference], rule) -> None:
    explained = [each for each in seen if rule.explains(each)]
    accepted = [
        str(changed)
        for each in explained
        for changed in map(lambda value, each=each: _with_value(each, value), _changed(each.values[1]))
        if any(other.explains(changed) for other in RULES)
    ]
    assert explained and not accepted, "\n".join(accepted[:10])


def _with_value(difference: Difference, translated: object) -> Difference:
    """The difference, had the gateway stored another value."""
    path, raw = difference.value_difference.path, difference.value_difference.raw
    return replace(difference, value_difference=ValueDifference(path, raw, translated))


def _changed(value: object) -> Iterator[object]:
    """The value as often as it has words and members, each time with one of them changed."""
    match value:
        case str() if not MADE_UP_ID.fullmatch(value):
            yield value + "!"
        case list():
            for index, item in enumerate(value):
                yield [*value[:index], *value[index + 1 :]]
                yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed(item))
        case dict():
            for key, item in value.items():
                yield from ({**value, key: changed} for changed in _changed(item))
