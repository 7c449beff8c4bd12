"""Parity: every payload raw and through the gateway, on the same server, compared in everything MLflow shows of it."""

from collections import Counter

import pytest

from e2e.parity.copies import cases
from e2e.parity.rules import RULES
from e2e.parity.stored_copies import StoredCopies
from e2e.parity.difference import Difference, trace_differences


@pytest.fixture(scope="module")
def seen(sides: StoredCopies) -> dict[str, list[Difference]]:
    """The differences of each case."""
    found: dict[str, list[Difference]] = {case: [] for case in sides.raw}
    for each in trace_differences(sides):
        found[each.case].append(each)
    return found


@pytest.mark.parametrize("case", cases())
def test_every_difference_is_an_improvement_that_has_a_name(seen: dict[str, list[Difference]], case: str) -> None:
    unknown = [str(each) for each in seen[case] if not any(rule.explains(each) for rule in RULES)]
    assert not unknown, "\n" + "\n".join(unknown)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_improvement_is_seen(seen: dict[str, list[Difference]], rule) -> None:
    explained = Counter(case for case, found in seen.items() for each in found if rule.explains(each))
    assert explained, f"nothing differs any more for the reason that {rule.reason}: remove the rule"


@pytest.mark.parametrize("case", cases())
def test_the_gateway_takes_every_payload(sides: StoredCopies, case: str) -> None:
    copy = sides.translated[case]
    assert copy.answers == [200] * len(copy.payloads)


def test_the_gateway_leaves_nothing_out_that_it_does_not_report(sides: StoredCopies) -> None:
    shown = {word for copy in sides.translated.values() for word in copy.traces.values() if isinstance(word, str)}
    assert shown <= {"absent"}, "every trace that is stored can be read"
    absent = {
        stored
        for copy in sides.translated.values()
        for stored, original in copy.original_ids.items()
        if copy.traces[original] == "absent"
    }
    assert absent <= {reason["trace_id"] for reason in sides.quarantined}
