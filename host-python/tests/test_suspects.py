"""Which payloads are tried together after a translator failed."""

from __future__ import annotations

import pytest

from openinference_mlflow.delivery import suspects
from openinference_mlflow.delivery.payloads import Payload
from openinference_mlflow.delivery.suspects import TRIAL_MILLIS, Suspects
from openinference_mlflow.settings.resolve import Target

NOWHERE = Target(None, None, None, None)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    clock = [0]
    monkeypatch.setattr(suspects, "now", lambda: clock[0])
    return clock


def payloads(count: int) -> list[Payload]:
    return [Payload(b"", NOWHERE, 1) for _ in range(count)]


def on_trial(found: Suspects, every: list[Payload]) -> list[int]:
    return [number for number, each in enumerate(every) if each in found]


def test_a_group_that_fails_is_split_until_one_payload_is_alone(time):
    every, found = payloads(5), Suspects()
    found.split(None, every)
    tried = []
    while found.start_trial():
        group = on_trial(found, every)
        tried.append(group)
        if 3 not in group:
            assert found.is_acquitted([])
            found.acquit()
        elif group == [3]:
            found.split(every[3], [])
            found.remove(every[3])
        else:
            found.split(None, [every[number] for number in group])
    assert tried == [[0, 1], [2, 3, 4], [2], [3, 4], [3], [4]]


def test_the_others_of_the_group_of_a_named_payload_stay_suspect(time):
    every, found = payloads(3), Suspects()
    found.split(None, every)
    found.start_trial()
    found.acquit()
    found.start_trial()
    found.split(every[1], [every[2]])
    found.start_trial()
    assert on_trial(found, every) == [1]
    found.acquit()
    found.start_trial()
    assert on_trial(found, every) == [2]


def test_a_trial_ends_when_its_group_is_delivered_or_its_time_is_up(time):
    every, found = payloads(2), Suspects()
    found.split(None, every)
    assert not found.is_acquitted([])
    assert found.start_trial() and not found.start_trial()
    assert not found.is_acquitted(every[:1])
    assert found.is_acquitted(every[1:])
    time[0] = TRIAL_MILLIS
    assert found.is_acquitted(every[:1])


def test_payloads_without_room_become_the_next_group(time):
    every, found = payloads(4), Suspects()
    found.split(None, every)
    found.start_trial()
    found.divide_before(every[1])
    assert on_trial(found, every) == [0]
    found.acquit()
    found.start_trial()
    assert on_trial(found, every) == [1]
    found.divide_before(every[1])
    assert on_trial(found, every) == [1]
